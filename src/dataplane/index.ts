export { configureWorkloadInterface, createEndpointPlumbing, HostEndpointStates } from './endpoints/index.js';
export type { EndpointPlumbing, EndpointState } from './endpoints/index.js';
export {
  createNetlinkNftApplier,
  createNftApplier,
  createNftDataplane,
  defaultNftConfig,
  followHostInterfaces,
  isLoopback,
  rateUnits,
} from './nft/index.js';
export type {
  Count,
  FailsafePort,
  NftApplier,
  NftConfig,
  NftDataplane,
  RunNft,
  TunnelPeers,
} from './nft/index.js';
export type { ObjectProblem } from './problem.js';
export type { OnRepair, RepairKind } from './repair.js';
export { deviceFor, removeDevices, Tunnels, uplinkOf, workloadMtu } from './tunnels/index.js';
export type {
  NodeAddresses,
  TunnelDevice,
  TunnelPool,
  TunnelSource,
  VxlanSettings,
} from './tunnels/index.js';
