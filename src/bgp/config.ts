import type { Cidr, Ip, IpVersion } from '../net/index.js';

/** How much the BGP daemon writes to its log: nothing of its protocols, their state changes, or everything. */
export type BgpLogLevel = 'none' | 'info' | 'debug';

/** A node as BGP sees it; one without an address takes no part. */
export interface BgpNode {
  readonly name: string;
  readonly ipv4?: Ip;
  readonly ipv6?: Ip;
  /** absent: the global one */
  readonly asNumber?: number;
  /** a dotted quad: the node is a route reflector of that cluster */
  readonly clusterId?: string;
}

/** A BGP speaker that the operator named: for every node, or for this one. */
export interface BgpPeer {
  readonly scope: 'global' | 'node';
  readonly address: Ip;
  readonly asNumber: number;
  /** signs the session's packets (TCP MD5, RFC 2385) */
  readonly password?: string;
}

/** A pool, enabled or not: its routes leave the node in either case. */
export interface BgpPool {
  readonly cidr: Cidr;
  /** true when the agent itself writes the pool's routes to other nodes, so that BIRD must not */
  readonly routedByAgent: boolean;
}

/** All that the BIRD configuration of one node depends on. Order of the lists means nothing. */
export interface BgpState {
  readonly node: BgpNode;
  /** networks that the node is attached to: peers inside them are neighbours on the link; may be empty */
  readonly ownSubnets: readonly Cidr[];
  readonly otherNodes: readonly BgpNode[];
  /** of every node that has none of its own */
  readonly asNumber: number;
  readonly mesh: boolean;
  /** seconds of silence after which a neighbour counts as dead; the smaller of both ends' counts. Absent: 90 */
  readonly holdTime?: number;
  /** of the mesh's sessions; absent: none */
  readonly meshPassword?: string;
  readonly peers: readonly BgpPeer[];
  readonly pools: readonly BgpPool[];
  /** blocks of addresses that are this node's, and whose claim is completed */
  readonly blocks: readonly Cidr[];
  /** addresses of other nodes' blocks that live on this one, as networks of one address */
  readonly borrowedHere: readonly Cidr[];
  readonly logLevel: BgpLogLevel;
  /** workload interfaces begin with one of these: `cali` */
  readonly interfacePrefixes: readonly string[];
  /** the operator's own filter statements, put before the pool checks of what peers are told */
  readonly customFilters: { readonly 4: readonly string[]; readonly 6: readonly string[] };
}

/** Seconds of silence after which a neighbour counts as dead while the operator set none. */
export const DEFAULT_HOLD_TIME = 90;

/** The AS number that applies while the operator set none. */
export const DEFAULT_AS_NUMBER = 64_512;

/** The node's address of that version. */
export function addressOf(node: BgpNode, version: IpVersion): Ip | undefined {
  return version === 4 ? node.ipv4 : node.ipv6;
}
