export { createNftApplier } from './apply.js';
export type { RunNft } from './apply.js';
export { createNftDataplane } from './nft-dataplane.js';
export type { NftDataplane } from './nft-dataplane.js';
