export { Tunnels } from './driver.js';
export type { TunnelSource } from './plan.js';
export { uplinkOf } from './uplink.js';
