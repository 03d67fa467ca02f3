import { hexDigest } from '../base/index.js';
import { formatCidr, overlaps, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { ResourceOf } from '../resources/index.js';
import type { HostView } from './choose-address.js';

/** Which packets between hosts travel inside others. */
export type Wrapping = 'off' | 'always' | 'cross-subnet';

/** What the operator said of one of the pools that are made at the first start. */
export interface DefaultPool {
  /** undefined: chosen so that it is none of the host's own networks */
  readonly cidr: string | undefined;
  readonly ipip: Wrapping;
  /** never beside `ipip` */
  readonly vxlan: Wrapping;
  readonly natOutgoing: boolean;
}

export interface DefaultPools {
  readonly 4: DefaultPool;
  readonly 6: DefaultPool;
}

type Pool = ResourceOf<'ipPool'>;

/** In this order: what Calico has always taken, then what is rarely an office's own network. */
const CANDIDATES4 = [
  '192.168.0.0/16',
  ...Array.from({ length: 16 }, (_, index) => `172.${String(index + 16)}.0.0/16`),
];

/**
 * The pools of a cluster that has none. The IPv4 range never covers a network that the host is in or has a
 * route to; undefined where every candidate does. The IPv6 one is derived from the cluster's id, so that all
 * hosts choose the same and no two clusters share it (RFC 4193).
 */
export function defaultPools(
  wanted: DefaultPools,
  view: HostView,
  cluster: { readonly id: string; readonly ipv6: boolean },
): readonly Pool[] {
  const used = networksOf(view);
  const ipv4 = wanted[4].cidr ?? CANDIDATES4.find(text => isFree(text, used));
  const ipv6 = cluster.ipv6 ? (wanted[6].cidr ?? uniqueLocal(cluster.id)) : undefined;
  return [
    ...(ipv4 === undefined ? [] : [poolOf(ipv4, wanted[4])]),
    ...(ipv6 === undefined ? [] : [poolOf(ipv6, wanted[6])]),
  ];
}

function poolOf(cidr: string, { ipip, vxlan, natOutgoing }: DefaultPool): Pool {
  const wrapped = (wrapping: Wrapping) => ({
    enabled: true,
    ...(wrapping === 'cross-subnet' ? { mode: wrapping } : {}),
  });
  return {
    apiVersion: 'v1',
    kind: 'ipPool',
    metadata: { cidr },
    spec: {
      ...(ipip === 'off' ? {} : { ipip: wrapped(ipip) }),
      ...(natOutgoing ? { 'nat-outgoing': true } : {}),
      ...(vxlan === 'off' ? {} : { vxlan: wrapped(vxlan) }),
    },
  };
}

/** What the host is attached to or knows a way to; a default route leads everywhere and says nothing. */
function networksOf({ addresses, routes }: HostView): readonly Cidr[] {
  const texts = [...addresses.map(({ address }) => address), ...routes.map(route => route.destination)];
  return texts.flatMap(text => parseCidr(text) ?? []).filter(({ length }) => length > 0);
}

function isFree(text: string, used: readonly Cidr[]): boolean {
  const range = parseCidr(text);
  return range !== undefined && !used.some(network => overlaps(network, range));
}

/** `fd`, then 40 bits that nobody else has. */
function uniqueLocal(clusterId: string): string | undefined {
  const digits = hexDigest('sha256', clusterId).slice(0, 10);
  const cidr = parseCidr(`fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6)}::/48`);
  return cidr === undefined ? undefined : formatCidr(cidr);
}
