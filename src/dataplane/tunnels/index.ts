export { IPIP_DEVICE, removeDevice } from './device.js';
export { Tunnels } from './driver.js';
export type { TunnelSource } from './plan.js';
export { uplinkOf } from './uplink.js';
export { workloadMtu } from './workload-mtu.js';
export type { Encapsulation } from './workload-mtu.js';
