import { IPIP_HEADER } from './device.js';

/** How packets between hosts may be wrapped: each takes a header of its own from what a link carries. */
export type Encapsulation = 'ipip' | 'vxlan' | 'vxlan6';

const headers: Readonly<Record<Encapsulation, number>> = {
  ipip: IPIP_HEADER,
  // Ethernet 14, VXLAN 8, UDP 8, IPv4 20 or IPv6 40.
  vxlan: 50,
  vxlan6: 70,
};

/** IPv6 needs links that carry this much (RFC 8200), and IPv4 gets along with it. */
const LEAST_MTU = 1280;

/** The largest packet of a workload that leaves the host in one piece, however it is wrapped there. */
export function workloadMtu(uplinkMtu: number, encapsulations: readonly Encapsulation[]): number {
  const header = Math.max(0, ...encapsulations.map(each => headers[each]));
  return Math.max(Math.min(LEAST_MTU, uplinkMtu), uplinkMtu - header);
}
