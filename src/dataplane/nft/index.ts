export { createNftApplier } from './apply.js';
export type { NftApplier, RunNft } from './apply.js';
export { createNetlinkNftApplier } from './netlink-applier.js';
export { createNftDataplane } from './nft-dataplane.js';
export type { NftDataplane } from './nft-dataplane.js';
export { defaultNftConfig } from './config.js';
export type { FailsafePort, NftConfig } from './config.js';
export { followHostInterfaces } from './follow-host-interfaces.js';
export type { TunnelPeers } from './tunnel-guard.js';
