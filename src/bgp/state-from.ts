import type { Issue } from '../base/index.js';
import { contains, formatIp, hostCidr, parseAsNumber, parseCidr, parseIp } from '../net/index.js';
import type { Cidr, Ip, IpVersion } from '../net/index.js';
import { DEFAULT_AS_NUMBER } from './config.js';
import type { BgpLogLevel, BgpNode, BgpPeer, BgpPool, BgpState } from './config.js';
import { customFiltersFrom } from './custom-filter.js';
import { meshPassword, peerPassword } from './passwords.js';
import { peersAtReflector } from './reflector-peers.js';
import { routerId } from './router-id.js';

/** The part of a v1 `node` that BGP reads. */
export interface NodeSource {
  readonly metadata: { readonly name: string };
  readonly spec?:
    | {
        readonly bgp?:
          | {
              readonly asNumber?: number | string | undefined;
              readonly ipv4Address?: string | undefined;
              readonly ipv6Address?: string | undefined;
              readonly routeReflectorClusterID?: string | undefined;
            }
          | undefined;
      }
    | undefined;
}

/** The part of a v1 `bgpPeer` that BGP reads. */
export interface PeerSource {
  readonly metadata: { readonly scope: string; readonly node?: string | undefined; readonly peerIP: string };
  readonly spec?: { readonly asNumber?: number | string | undefined } | undefined;
}

/** The part of a v1 `ipPool` that BGP reads. */
export interface PoolSource {
  readonly metadata: { readonly cidr: string };
  readonly spec?:
    | {
        readonly ipip?: { readonly enabled?: boolean | undefined } | undefined;
        readonly vxlan?: { readonly enabled?: boolean | undefined } | undefined;
      }
    | undefined;
}

/** A block of addresses and whose it is. */
export interface BlockSource {
  readonly cidr: string;
  readonly node: string | undefined;
  readonly confirmed: boolean;
  /** addresses that live on another node than the owner */
  readonly borrowed?: readonly { readonly address: string; readonly node: string }[];
}

/** What is in the store, and what the agent knows of its own host. */
export interface BgpSource {
  /** the name this node runs under */
  readonly nodeName: string;
  readonly nodes: readonly NodeSource[];
  readonly peers: readonly PeerSource[];
  readonly pools: readonly PoolSource[];
  readonly blocks: readonly BlockSource[];
  /** global settings of the component `bgp` by name: `as_num`, `node_mesh`, `loglevel`, `hold_time`, `custom_filters/v4/<n>`, passwords */
  readonly settings: ReadonlyMap<string, string>;
  /** those of this node: `loglevel`, `hold_time`, passwords */
  readonly nodeSettings?: ReadonlyMap<string, string>;
  /** default `['cali']` */
  readonly interfacePrefixes?: readonly string[];
  /** networks that the node's BGP addresses are in; default none known */
  readonly ownSubnets?: readonly Cidr[];
  /** true when the agent writes the routes of encapsulated pools itself; default false: BIRD writes all */
  readonly tunnelsByAgent?: boolean;
}

/** The state, and each part of the input that was left out of it and why. */
export interface BgpStateResult {
  readonly state: BgpState;
  readonly issues: readonly Issue[];
}

/**
 * Derives what BGP has to do from resources and settings. What cannot be used is left out and reported, so
 * that wrong data of one node or peer never takes another one down.
 */
export function bgpStateFrom(source: BgpSource): BgpStateResult {
  const issues: Issue[] = [];
  const nodes = source.nodes.map(node => nodeFrom(node, issues));
  const node = nodes.find(({ name }) => name === source.nodeName) ?? { name: source.nodeName };
  const others = nodes.filter(({ name }) => name !== source.nodeName);
  const customFilters = customFiltersFrom(source.settings, issues);
  const otherNodes = withoutSharedAddresses(node, others, issues);
  const asNumber = globalAsNumber(source.settings, issues);
  const password = meshPassword(source, issues);
  const state: BgpState = {
    node,
    ownSubnets: source.ownSubnets ?? [],
    otherNodes,
    asNumber,
    mesh: password.usable && meshEnabled(source.settings, issues),
    ...holdTimeFrom(source, issues),
    ...(password.usable && password.text !== undefined ? { meshPassword: password.text } : {}),
    peers: [
      ...peersAtReflector(node, otherNodes, {
        peers: source.peers,
        asNumber,
        passwordOf: own => peerPassword(source, own, issues),
      }),
      ...source.peers.flatMap(peer => peerFrom(peer, source, issues)),
    ],
    pools: source.pools.flatMap(pool => poolFrom(pool, source.tunnelsByAgent ?? false, issues)),
    blocks: source.blocks.flatMap(block => blockFrom(block, source.nodeName, issues)),
    borrowedHere: source.blocks.flatMap(block => borrowedFrom(block, source.nodeName)),
    logLevel: logLevel(source),
    interfacePrefixes: source.interfacePrefixes ?? ['cali'],
    customFilters,
  };
  reportRouterIdClash(state, issues);
  return { state, issues };
}

const UNICAST: { readonly [Version in IpVersion]: string } = {
  4: 'a unicast IPv4 address',
  6: 'a unicast IPv6 address that is not link-local',
};

const NOT_PEERABLE = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'].flatMap(
  text => parseCidr(text) ?? [],
);

/** An address that a BGP session can run over: BIRD refuses a whole configuration for a link-local one. */
function peerable(text: string, version?: IpVersion): Ip | undefined {
  const ip = parseIp(text);
  if (ip === undefined || (version !== undefined && ip.version !== version)) return undefined;
  return NOT_PEERABLE.some(range => contains(range, ip)) ? undefined : ip;
}

/** AS 0 is reserved (RFC 7607) and BIRD refuses it. */
function usableAsNumber(value: number | string | undefined): number | undefined {
  const asNumber = value === undefined ? undefined : parseAsNumber(String(value).trim());
  return asNumber === 0 ? undefined : asNumber;
}

const AS_NUMBER = 'an AS number from 1 to 4294967295';

function nodeFrom(source: NodeSource, issues: Issue[]): BgpNode {
  const { name } = source.metadata;
  const bgp = source.spec?.bgp;
  const place = `node(${name}).spec.bgp`;
  const address = (version: IpVersion, field: string, text: string | undefined): Ip | undefined => {
    if (text === undefined || text === '') return undefined;
    const ip = peerable(text, version);
    if (ip === undefined) issues.push({ path: `${place}.${field}`, value: text, expected: UNICAST[version] });
    return ip;
  };
  const ipv4 = address(4, 'ipv4Address', bgp?.ipv4Address);
  const ipv6 = address(6, 'ipv6Address', bgp?.ipv6Address);
  const asNumber = usableAsNumber(bgp?.asNumber);
  if (bgp?.asNumber !== undefined && asNumber === undefined) {
    issues.push({ path: `${place}.asNumber`, value: String(bgp.asNumber), expected: AS_NUMBER });
  }
  return {
    name,
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(asNumber === undefined ? {} : { asNumber }),
    ...clusterIdFrom(place, bgp?.routeReflectorClusterID, issues),
  };
}

function clusterIdFrom(place: string, text: string | undefined, issues: Issue[]): Pick<BgpNode, 'clusterId'> {
  if (text === undefined || text === '') return {};
  const ip = parseIp(text);
  // Zero is what BIRD takes for "the router id".
  if (ip?.version === 4 && ip.bits !== 0n) return { clusterId: formatIp(ip) };
  issues.push({
    path: `${place}.routeReflectorClusterID`,
    value: text,
    expected: 'a cluster id as a dotted quad: 1.0.0.1',
  });
  return {};
}

/** Of several nodes with one address the own, else the first by name keeps it: a session needs one peer. */
function withoutSharedAddresses(
  own: BgpNode,
  others: readonly BgpNode[],
  issues: Issue[],
): readonly BgpNode[] {
  const holders = new Map<string, string>();
  const taken = (node: BgpNode, ip: Ip | undefined): boolean => {
    if (ip === undefined) return false;
    const text = formatIp(ip);
    const holder = holders.get(text);
    if (holder === undefined) {
      holders.set(text, node.name);
      return false;
    }
    issues.push({
      path: `node(${node.name}).spec.bgp.ipv${String(ip.version)}Address`,
      value: text,
      expected: `an address of its own: node ${holder} has this one`,
    });
    return true;
  };
  taken(own, own.ipv4);
  taken(own, own.ipv6);
  const byName = others.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return byName.map(node => {
    const { ipv4, ipv6, ...rest } = node;
    return {
      ...rest,
      ...(ipv4 === undefined || taken(node, ipv4) ? {} : { ipv4 }),
      ...(ipv6 === undefined || taken(node, ipv6) ? {} : { ipv6 }),
    };
  });
}

function globalAsNumber(settings: ReadonlyMap<string, string>, issues: Issue[]): number {
  const text = settings.get('as_num');
  if (text === undefined || text.trim() === '') return DEFAULT_AS_NUMBER;
  const asNumber = usableAsNumber(text);
  if (asNumber === undefined) issues.push({ path: 'config.asNumber', value: text, expected: AS_NUMBER });
  return asNumber ?? DEFAULT_AS_NUMBER;
}

/** The mesh is on unless the setting says otherwise; a damaged one must not take every session down. */
function meshEnabled(settings: ReadonlyMap<string, string>, issues: Issue[]): boolean {
  const text = settings.get('node_mesh');
  if (text === undefined || text.trim() === '') return true;
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value === 'object' &&
      value !== null &&
      'enabled' in value &&
      typeof value.enabled === 'boolean'
    ) {
      return value.enabled;
    }
  } catch {
    // reported below, as any other text that does not say it
  }
  issues.push({
    path: 'config.nodeToNodeMesh',
    value: text,
    expected: '{"enabled":true} or {"enabled":false}',
  });
  return true;
}

/** RFC 4271 wants 3 seconds at least. */
const SHORTEST_HOLD_TIME = 3;
const LONGEST_HOLD_TIME = 65_535;

function holdTimeFrom(source: BgpSource, issues: Issue[]): Pick<BgpState, 'holdTime'> {
  const text = source.nodeSettings?.get('hold_time') ?? source.settings.get('hold_time');
  if (text === undefined || text.trim() === '') return {};
  const seconds = /^[0-9]{1,5}$/.test(text.trim()) ? Number(text) : NaN;
  if (seconds >= SHORTEST_HOLD_TIME && seconds <= LONGEST_HOLD_TIME) return { holdTime: seconds };
  issues.push({
    path: 'config.bgp.hold_time',
    value: text,
    expected: `seconds from ${String(SHORTEST_HOLD_TIME)} to ${String(LONGEST_HOLD_TIME)}`,
  });
  return {};
}

function logLevel(source: BgpSource): BgpLogLevel {
  const text = source.nodeSettings?.get('loglevel') ?? source.settings.get('loglevel');
  return text === 'none' || text === 'debug' ? text : 'info';
}

function peerFrom(source: PeerSource, settings: BgpSource, issues: Issue[]): readonly BgpPeer[] {
  const { scope, node, peerIP } = source.metadata;
  if (scope !== 'global' && (scope !== 'node' || node !== settings.nodeName)) return [];
  const place = `bgpPeer(${scope}, ${peerIP})`;
  const address = peerable(peerIP);
  if (address === undefined) {
    issues.push({
      path: `${place}.metadata.peerIP`,
      value: peerIP,
      expected: 'a unicast address that is not link-local',
    });
    return [];
  }
  const asNumber = usableAsNumber(source.spec?.asNumber);
  if (asNumber === undefined) {
    const value = String(source.spec?.asNumber ?? '');
    issues.push({ path: `${place}.spec.asNumber`, value, expected: AS_NUMBER });
    return [];
  }
  const password = peerPassword(settings, address, issues);
  if (!password.usable) return [];
  return [{ scope, address, asNumber, ...(password.text === undefined ? {} : { password: password.text }) }];
}

function poolFrom(source: PoolSource, tunnelsByAgent: boolean, issues: Issue[]): readonly BgpPool[] {
  const text = source.metadata.cidr;
  const cidr = parseCidr(text);
  if (cidr === undefined) {
    issues.push({ path: `ipPool(${text}).metadata.cidr`, value: text, expected: 'a CIDR' });
    return [];
  }
  const { ipip, vxlan } = source.spec ?? {};
  // IP-in-IP carries IPv4 only: a pool of IPv6 addresses is routed as if it did not ask for it.
  const isWrapped = vxlan?.enabled === true || (ipip?.enabled === true && cidr.version === 4);
  return [{ cidr, routedByAgent: tunnelsByAgent && isWrapped }];
}

function blockFrom(source: BlockSource, nodeName: string, issues: Issue[]): readonly Cidr[] {
  if (source.node !== nodeName || !source.confirmed) return [];
  const cidr = parseCidr(source.cidr);
  if (cidr === undefined) {
    issues.push({ path: `block(${source.cidr}).cidr`, value: source.cidr, expected: 'a CIDR' });
    return [];
  }
  return [cidr];
}

function borrowedFrom({ borrowed = [] }: BlockSource, nodeName: string): readonly Cidr[] {
  return borrowed.flatMap(({ address, node }) => {
    const ip = node === nodeName ? parseIp(address) : undefined;
    return ip === undefined ? [] : [hostCidr(ip)];
  });
}

/** Two speakers with one router id never come up with each other: say so by name instead of leaving them Idle. */
function reportRouterIdClash(state: BgpState, issues: Issue[]): void {
  const { node } = state;
  if (node.ipv6 === undefined) return;
  const own = routerId(node);
  for (const other of state.otherNodes) {
    if (other.ipv6 === undefined || routerId(other) !== own) continue;
    issues.push({
      path: `node(${node.name})`,
      value: own,
      expected: `a router id of its own: node ${other.name} has this one; give one of them an IPv4 address`,
    });
  }
}
