export { createNftApplier } from './apply.js';
export type { NftApplier, RunNft } from './apply.js';
export type { FailsafePort, NftConfig } from './config.js';
export { createNftDataplane } from './nft-dataplane.js';
export type { NftDataplane, NftDataplaneOptions } from './nft-dataplane.js';
