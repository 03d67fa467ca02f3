export type { Allocator } from './allocator.js';
export type { BlockEvent, BlockRoutes } from './block-routes.js';
export { watchBlocks } from './block-routes.js';
export { createAllocator } from './create-allocator.js';
