export type {
  AddressInfo,
  HostNetwork,
  LinkInfo,
  NetworkChange,
  NetworkEvent,
  RouteInfo,
  RouteRequest,
  VethRequest,
} from './host-network.js';
export { netnsExists } from './netns.js';
export { openHostNetwork } from './open-host-network.js';
