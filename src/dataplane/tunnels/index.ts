export { removeDevices } from './device.js';
export { Tunnels } from './driver.js';
export type { NodeAddresses, TunnelPool, TunnelSource, VxlanSettings } from './plan.js';
export { deviceFor } from './tunnel-devices.js';
export type { TunnelDevice } from './tunnel-devices.js';
export { uplinkOf } from './uplink.js';
export { workloadMtu } from './workload-mtu.js';
