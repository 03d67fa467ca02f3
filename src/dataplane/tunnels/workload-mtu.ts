import { deviceProperties } from './tunnel-devices.js';
import type { TunnelDevice } from './tunnel-devices.js';

/** IPv6 needs links that carry this much (RFC 8200), and IPv4 gets along with it. */
const LEAST_MTU = 1280;

/** The largest packet of a workload that leaves the host in one piece, whichever of the devices wraps it. */
export function workloadMtu(uplinkMtu: number, devices: readonly TunnelDevice[]): number {
  const header = Math.max(0, ...devices.map(device => deviceProperties[device].overhead));
  return Math.max(Math.min(LEAST_MTU, uplinkMtu), uplinkMtu - header);
}
