import { contains, parseCidr, parseIp, widthOf } from '../../net/index.js';
import type { Cidr, IpVersion } from '../../net/index.js';
import type { BlockRoutes } from '../../ipam/index.js';
import { deviceFor, deviceProperties, vxlanEnd } from './tunnel-devices.js';
import type { Encapsulation, TunnelDevice, VxlanEnd } from './tunnel-devices.js';

/** A pool whose packets between hosts travel inside others. */
export interface TunnelPool {
  readonly cidr: string;
  readonly encapsulation: Encapsulation;
  /** `cross-subnet`: only to hosts outside of the own subnet */
  readonly mode: 'always' | 'cross-subnet';
}

/** The addresses of a node, as far as it has them. */
export type NodeAddresses = { readonly [Version in IpVersion]?: string };

/** What all ends of a VXLAN have in common, and the MTU of each device that the operator wants; absent: what fits. */
export interface VxlanSettings {
  readonly vni: number;
  readonly port: number;
  readonly mtu: { readonly [Device in TunnelDevice]?: number };
}

/** What is in the store about encapsulated routes. */
export interface TunnelSource {
  /** the name this node runs under */
  readonly nodeName: string;
  /** of every node, by name */
  readonly nodes: ReadonlyMap<string, NodeAddresses>;
  readonly pools: readonly TunnelPool[];
  readonly blocks: readonly BlockRoutes[];
  /** this node's own addresses on its tunnels, as far as they have one */
  readonly tunnelAddresses: ReadonlyMap<TunnelDevice, string>;
  readonly vxlan: VxlanSettings;
}

/** A route that this host must have: to another host, or, without one, the end of packets that go nowhere. */
export type TunnelRoute =
  | {
      readonly kind: 'tunnel';
      readonly destination: string;
      readonly device: TunnelDevice;
      readonly gateway: string;
      /** of a VXLAN, the other end */
      readonly end?: VxlanEnd;
    }
  | { readonly kind: 'direct'; readonly destination: string; readonly gateway: string }
  | { readonly kind: 'blackhole'; readonly destination: string };

interface Range {
  readonly range: Cidr;
  readonly device: TunnelDevice;
  readonly mode: TunnelPool['mode'];
}

/** The pools that have a device, each with it. */
export function tunnelRanges({ pools }: Pick<TunnelSource, 'pools'>): readonly Range[] {
  return pools.flatMap(({ cidr, encapsulation, mode }) => {
    const range = parseCidr(cidr);
    const device = range === undefined ? undefined : deviceFor(encapsulation, range.version);
    return range === undefined || device === undefined ? [] : [{ range, device, mode }];
  });
}

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
  const own = source.nodes.get(source.nodeName) ?? {};
  const ranges = tunnelRanges(source).filter(({ range }) => own[range.version] !== undefined);
  const toNode = (destination: string, node: string, { device, mode, range }: Range): void => {
    const host = source.nodes.get(node)?.[range.version];
    const ip = parseIp(host ?? '');
    if (node === source.nodeName || host === undefined || ip === undefined) return;
    const near = mode === 'cross-subnet' && ownSubnets.some(subnet => contains(subnet, ip));
    if (near) routes.set(destination, { kind: 'direct', destination, gateway: host });
    else if (deviceProperties[device].encapsulation === 'ipip') {
      routes.set(destination, { kind: 'tunnel', destination, device, gateway: host });
    } else {
      const end = vxlanEnd(node, host, range.version);
      routes.set(destination, { kind: 'tunnel', destination, device, gateway: end.gateway, end });
    }
  };
  for (const { cidr, node, confirmed, borrowed } of source.blocks) {
    const block = parseCidr(cidr);
    const pool = ranges.find(({ range }) => block !== undefined && contains(range, block));
    if (block === undefined || pool === undefined) continue;
    const width = widthOf(block.version);
    if (node === source.nodeName) {
      // A block of one address is its workload's own route.
      if (confirmed && block.length < width) routes.set(cidr, { kind: 'blackhole', destination: cidr });
    } else if (node !== undefined && confirmed) toNode(cidr, node, pool);
    for (const { address, node: home } of borrowed) toNode(`${address}/${String(width)}`, home, pool);
  }
  return routes;
}

/** The other ends that routes through a device lead to, by the Ethernet address. */
export function planVxlanEnds(
  routes: ReadonlyMap<string, TunnelRoute>,
  device: TunnelDevice,
): ReadonlyMap<string, VxlanEnd> {
  const ends = new Map<string, VxlanEnd>();
  for (const route of routes.values()) {
    if (route.kind !== 'tunnel' || route.device !== device || route.end === undefined) continue;
    ends.set(route.end.mac, route.end);
  }
  return ends;
}
