export { configureWorkloadInterface, createEndpointPlumbing } from './endpoints/index.js';
export type { EndpointPlumbing } from './endpoints/index.js';
export {
  createNetlinkNftApplier,
  createNftApplier,
  createNftDataplane,
  defaultNftConfig,
  followHostInterfaces,
} from './nft/index.js';
export type { FailsafePort, NftApplier, NftConfig, NftDataplane, RunNft } from './nft/index.js';
export type { ObjectProblem } from './problem.js';
export { IPIP_DEVICE, removeDevice, Tunnels, uplinkOf, workloadMtu } from './tunnels/index.js';
export type { Encapsulation, TunnelSource } from './tunnels/index.js';
