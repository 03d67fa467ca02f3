import type { LabTopology, TopologyNetwork } from './topology.js';

/** Where the addresses of a lab come from: private ranges, unlike a usual office. */

/** Pools of the workloads, unless the topology's resources have some. */
export const LAB_POOLS: readonly string[] = ['10.65.0.0/16', 'fd80:65::/64'];

/** In each network routers come first, the default router of its hosts as the very first; then hosts. */
export const FIRST_ROUTER = 1;
export const FIRST_HOST = 11;
export const MOST_ROUTERS = FIRST_HOST - FIRST_ROUTER;
export const MOST_HOSTS = 250;
export const MOST_NETWORKS = 60;

/** The networks of a topology: its own, or the one that every lab has. */
export function networksOf({ networks = [] }: LabTopology): readonly TopologyNetwork[] {
  return networks.length > 0 ? networks : [{ name: 'lan' }];
}

/** The CIDRs of the network at that place of the list. */
export function networkCidrs(
  network: TopologyNetwork,
  index: number,
): { readonly 4: string; readonly 6: string } {
  return {
    4: network.ipv4 ?? `172.30.${String(index * 4)}.0/22`,
    6: network.ipv6 ?? `fd30:ca11:0:${index.toString(16)}::/64`,
  };
}

/** The CIDRs of the pools that the lab is going to have. */
export function poolsOf({ resources = [] }: LabTopology): readonly string[] {
  const own = resources.flatMap(resource => (resource.kind === 'ipPool' ? [resource.metadata.cidr] : []));
  return own.length > 0 ? own : LAB_POOLS;
}
