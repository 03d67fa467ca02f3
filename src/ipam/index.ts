export type { Allocator, Assigned, Assignment, AssignRequest, Attributes } from './allocator.js';
export type { BlockChange, BlockEvent, BlockRoutes } from './block-routes.js';
export { watchBlocks } from './block-routes.js';
export { createAllocator } from './create-allocator.js';
