export { readBgpStatus } from './bgp-status.js';
export type { BgpStatus } from './bgp-status.js';
export { createBird } from './bird.js';
export type { BgpDaemon, BirdOptions } from './bird.js';
export type { BgpLogLevel, BgpNode, BgpPeer, BgpPool, BgpState } from './config.js';
export { Gobgp } from './gobgp.js';
export type { KernelRoutes } from './gobgp.js';
export { formatPeers } from './peer-table.js';
export { renderNothing } from './render-nothing.js';
export { renderBird } from './render.js';
export { bgpStateFrom } from './state-from.js';
export type {
  BgpSource,
  BgpStateResult,
  BlockSource,
  NodeSource,
  PeerSource,
  PoolSource,
} from './state-from.js';
export type { PeerStatus, PeerType, RouteCounts } from './status.js';
