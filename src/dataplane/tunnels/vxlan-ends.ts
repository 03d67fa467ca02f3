import type { HostNetwork } from '../../netlink/index.js';
import type { VxlanEnd } from './tunnel-devices.js';

/** What a VXLAN device has to know of the hosts behind it, by their Ethernet addresses. */
export type VxlanEnds = ReadonlyMap<string, VxlanEnd>;

/**
 * Tells the device of the hosts that it lacks: to which Ethernet address a packet for a next hop goes (a
 * neighbour), and to which host a frame for that one (a forwarding entry). Each difference is one `attempt`.
 */
export function addVxlanEnds(
  network: HostNetwork,
  index: number,
  ends: VxlanEnds,
  attempt: (step: () => void) => void,
): void {
  const neighbours = neighboursOf(network, index);
  const hosts = new Map(network.forwarding(index).map(({ mac, host }) => [mac, host]));
  for (const { host, mac, gateway } of ends.values()) {
    if (hosts.get(mac) !== host) attempt(() => network.replaceForwarding(index, { mac, host }));
    if (neighbours.get(gateway) !== mac) attempt(() => network.replaceNeighbour(index, gateway, mac));
  }
}

/** Takes from the device what it knows of hosts that no route leads to any more. */
export function removeVxlanEnds(
  network: HostNetwork,
  index: number,
  ends: VxlanEnds,
  attempt: (step: () => void) => void,
): void {
  for (const [gateway, mac] of neighboursOf(network, index)) {
    if (ends.get(mac)?.gateway !== gateway) attempt(() => network.deleteNeighbour(index, gateway));
  }
  for (const { mac, host } of network.forwarding(index)) {
    if (ends.get(mac)?.host !== host) attempt(() => network.deleteForwarding(index, { mac, host }));
  }
}

function neighboursOf(network: HostNetwork, index: number): ReadonlyMap<string, string> {
  const own = network.permanentNeighbours().filter(({ interfaceIndex }) => interfaceIndex === index);
  return new Map(own.map(({ address, mac }) => [address, mac]));
}
