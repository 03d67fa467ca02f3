export { MAX_AS_NUMBER, parseAsNumber } from './as-number.js';
export {
  addressAt,
  canonicalCidr,
  contains,
  formatCidr,
  hostCidr,
  maskOf,
  networkOf,
  overlaps,
  parseCidr,
  sizeOf,
} from './cidr.js';
export type { Cidr } from './cidr.js';
export { canonicalIp, formatIp, parseIp, widthOf } from './ip.js';
export type { Ip, IpVersion } from './ip.js';
export { canonicalMac } from './mac.js';
export { formatPortRange } from './port.js';
export type { PortRange } from './port.js';
export { isProtocolName, protocolNumbers, protocolText } from './protocol.js';
export type { ProtocolName } from './protocol.js';
export {
  ROUTE_PROTOCOL,
  WORKLOAD_GATEWAY_IPV4,
  WORKLOAD_GATEWAY_IPV6,
  WORKLOAD_HOST_MAC,
} from './workload-link.js';
