import { contains, formatIp, parseCidr, parseIp } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import type { AddressInfo } from '../../netlink/index.js';

/** Where a host's own address is: the link that has it, and the networks it puts the host in. */
export interface Uplink {
  /** undefined: no link of this host has the address */
  readonly index: number | undefined;
  readonly subnets: readonly Cidr[];
}

/** Finds an address of the node on its host. An address alone, without neighbours, is in no subnet. */
export function uplinkOf(addresses: readonly AddressInfo[], nodeAddress: string): Uplink {
  const ip = parseIp(nodeAddress);
  if (ip === undefined) return { index: undefined, subnets: [] };
  const text = formatIp(ip);
  const holders = addresses.filter(({ address }) => address.slice(0, address.lastIndexOf('/')) === text);
  const width = ip.version === 4 ? 32 : 128;
  const subnets = holders.flatMap(({ address }) => {
    const subnet = parseCidr(address);
    return subnet !== undefined && subnet.length < width && contains(subnet, ip) ? [subnet] : [];
  });
  return { index: holders[0]?.interfaceIndex, subnets };
}
