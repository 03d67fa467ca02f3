import { contains, parseCidr, parseIp } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import type { BlockRoutes } from '../../ipam/index.js';

/** A pool whose packets between hosts travel inside others. IPv4: IP-in-IP carries nothing else. */
export interface TunnelPool {
  readonly cidr: string;
  /** `cross-subnet`: only to hosts outside of the own subnet */
  readonly mode: 'always' | 'cross-subnet';
}

/** What is in the store about encapsulated routes. */
export interface TunnelSource {
  /** the name this node runs under */
  readonly nodeName: string;
  /** IPv4 address of every node that has one, by name */
  readonly nodeAddresses: ReadonlyMap<string, string>;
  readonly pools: readonly TunnelPool[];
  readonly blocks: readonly BlockRoutes[];
  /** of this node's end of the tunnel; undefined while it has none */
  readonly tunnelAddress: string | undefined;
}

/** A route that this host must have: to another host, or, without one, the end of packets that go nowhere. */
export type TunnelRoute =
  | { readonly kind: 'tunnel' | 'direct'; readonly destination: string; readonly gateway: string }
  | { readonly kind: 'blackhole'; readonly destination: string };

/**
 * The routes for blocks of encapsulated pools, one for each destination: to the owner of a block, to the host
 * of an address that was borrowed from it, and for own blocks an end of packets to addresses nobody has.
 * Nothing without a node address of its own: nobody could answer. `ownSubnets` are those of that address.
 */
export function planTunnelRoutes(
  source: TunnelSource,
  ownSubnets: readonly Cidr[],
): ReadonlyMap<string, TunnelRoute> {
  const routes = new Map<string, TunnelRoute>();
  if (source.nodeAddresses.get(source.nodeName) === undefined) return routes;
  const pools = source.pools.flatMap(({ cidr, mode }) => {
    const range = parseCidr(cidr);
    return range?.version === 4 ? [{ range, mode }] : [];
  });
  const toNode = (destination: string, node: string, mode: TunnelPool['mode']): void => {
    const gateway = source.nodeAddresses.get(node);
    if (node === source.nodeName || gateway === undefined) return;
    const ip = parseIp(gateway);
    if (ip === undefined) return;
    const near = mode === 'cross-subnet' && ownSubnets.some(subnet => contains(subnet, ip));
    routes.set(destination, { kind: near ? 'direct' : 'tunnel', destination, gateway });
  };
  for (const { cidr, version, node, confirmed, borrowed } of source.blocks) {
    if (version !== 4) continue;
    const block = parseCidr(cidr);
    const pool = pools.find(({ range }) => block !== undefined && contains(range, block));
    if (block === undefined || pool === undefined) continue;
    if (node === source.nodeName) {
      // A block of one address is its workload's own route.
      if (confirmed && block.length < 32) routes.set(cidr, { kind: 'blackhole', destination: cidr });
    } else if (node !== undefined && confirmed) toNode(cidr, node, pool.mode);
    for (const { address, node: home } of borrowed) toNode(`${address}/32`, home, pool.mode);
  }
  return routes;
}
