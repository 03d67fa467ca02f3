import type { HostNetwork } from '../netlink/index.js';

/** Whether links of this host can have IPv6: the kernel knows it, and nobody has switched it off for them. */
export function hasIpv6(network: Pick<HostNetwork, 'readSysctl'>): boolean {
  return network.readSysctl(['ipv6', 'conf', 'default', 'disable_ipv6']) === '0';
}
