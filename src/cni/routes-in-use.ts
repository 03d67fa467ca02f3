import { formatIp, parseCidr, widthOf } from '../net/index.js';
import type { HostNetwork } from '../netlink/index.js';

/**
 * Tells whether an address (canonical) is in use on this host by something else than the interface `hostName`:
 * a route of its own leads to it without a gateway, or it is the host's. The routes are read when it is asked
 * for the first time.
 */
export function addressesInUse(network: HostNetwork, hostName: string): (address: string) => boolean {
  let inUse: ReadonlySet<string> | undefined;
  return address => {
    inUse ??= readAddressesInUse(network, hostName);
    return inUse.has(address);
  };
}

/** The addresses that are in use now; those of the interface `hostName` are left out. */
export function readAddressesInUse(network: HostNetwork, hostName: string | undefined): ReadonlySet<string> {
  const own = hostName === undefined ? undefined : network.linkByName(hostName)?.index;
  const found = new Set<string>();
  for (const { destination, gateway, interfaceIndex, type } of network.routes()) {
    if (gateway !== undefined || interfaceIndex === undefined || interfaceIndex === own) continue;
    if (type !== 'unicast' && type !== 'local') continue;
    const cidr = parseCidr(destination);
    if (cidr !== undefined && cidr.length === widthOf(cidr.version)) found.add(formatIp(cidr));
  }
  return found;
}
