import type { HostNetwork, RouteInfo } from '../netlink/index.js';

/**
 * Tells whether an address (canonical) is in use on this host by something else than the interface `hostName`:
 * a route of its own leads to it without a gateway, or it is the host's.
 */
export function addressesInUse(network: HostNetwork, hostName: string): (address: string) => boolean {
  const own = network.linkByName(hostName)?.index;
  return address => {
    const route = network.routeTo(address);
    return route !== undefined && usedBy(route) === address && route.interfaceIndex !== own;
  };
}

/** All addresses that are in use on this host in that sense. */
export function allAddressesInUse(network: HostNetwork): ReadonlySet<string> {
  return new Set(network.routes().flatMap(route => usedBy(route) ?? []));
}

/** The address that a route says is in use; undefined for any other route. */
function usedBy({ destination, gateway, interfaceIndex, type }: RouteInfo): string | undefined {
  if (gateway !== undefined || interfaceIndex === undefined) return undefined;
  if (type !== 'unicast' && type !== 'local') return undefined;
  const [address = '', length = ''] = destination.split('/');
  return length === (address.includes(':') ? '128' : '32') ? address : undefined;
}
