export { configureWorkloadInterface, createEndpointPlumbing } from './endpoints/index.js';
export type { EndpointPlumbing } from './endpoints/index.js';
export {
  createNftApplier,
  createNftDataplane,
  defaultNftConfig,
  followHostInterfaces,
} from './nft/index.js';
export type { FailsafePort, NftConfig, NftDataplane, RunNft } from './nft/index.js';
export { IPIP_DEVICE, removeDevice, Tunnels, uplinkOf } from './tunnels/index.js';
export type { TunnelSource } from './tunnels/index.js';
