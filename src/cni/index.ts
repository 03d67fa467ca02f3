export { openAttachmentRecords } from './attachment-records.js';
export { deleteQueueOf, replayQueuedDeletes, undoInterrupted } from './delete-queue.js';
export { createCniHandler } from './handler.js';
export type { CniHandler } from './handler.js';
export { launch } from './launcher.js';
export { liveAddresses } from './live-addresses.js';
export type { CniParts } from './parts.js';
export type { CniRequest } from './protocol.js';
export { startCniServer } from './server.js';
