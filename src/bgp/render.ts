import { CalicoError } from '../base/index.js';
import { contains, formatCidr, formatIp, parseIp, widthOf } from '../net/index.js';
import type { Cidr, Ip, IpVersion } from '../net/index.js';
import { addressOf, DEFAULT_HOLD_TIME } from './config.js';
import type { BgpLogLevel, BgpState } from './config.js';
import { routerId } from './router-id.js';
import { sessionsOf } from './sessions.js';
import type { Session } from './sessions.js';

const VERSIONS: readonly IpVersion[] = [4, 6];

/** In any filter that BIRD runs on it, a value of ours is a number, an address or a checked word. */
interface Context {
  readonly state: BgpState;
  readonly version: IpVersion;
  /** appended to each name that exists once per version */
  readonly v: string;
  readonly blocks: readonly Cidr[];
}

/**
 * The configuration of a stock BIRD 2 for one node, both IP versions. Equal state gives equal text, whatever
 * the order of its lists. Functions and filters stand before the protocols that name them, as BIRD wants it.
 */
export function renderBird(state: BgpState): string {
  const contexts = VERSIONS.map((version): Context => {
    const blocks = sortedCidrs(state.blocks.filter(block => block.version === version));
    return { state, version, v: String(version), blocks };
  });
  return [
    '# Written by calico-node from the datastore: changes made here are lost.',
    `router id ${routerId(state.node)};`,
    'graceful restart wait 20;',
    'timeformat protocol iso short;',
    ...DEBUG_LINES[state.logLevel],
    '',
    ...contexts.flatMap(context => [...sets(context), ...filters(context)]),
    'protocol device { scan time 2; }',
    `protocol direct own_addr { ipv4; ipv6; interface ${ignoredInterfaces(state)}, "*"; }`,
    ...contexts.flatMap(context => [...kernel(context), ...blackholes(context)]),
    '',
    ...contexts.flatMap(sessions),
    '',
  ].join('\n');
}

const DEBUG_LINES: { readonly [Level in BgpLogLevel]: readonly string[] } = {
  none: [],
  info: ['debug protocols { states };'],
  debug: ['debug protocols all;'],
};

function sets({ state, version, v, blocks }: Context): readonly string[] {
  const pools = state.pools.filter(({ cidr }) => cidr.version === version);
  const width = widthOf(version);
  const whole = (cidrs: readonly Cidr[]): string =>
    set(sortedCidrs(cidrs).map(cidr => `${formatCidr(cidr)}+`));
  const inside = blocks.flatMap(block => {
    const cidr = formatCidr(block);
    return block.length < width ? [`${cidr}{${String(block.length + 1)},${String(width)}}`] : [];
  });
  return [
    `define POOLS${v} = ${whole(pools.map(({ cidr }) => cidr))};`,
    `define TUNNEL${v} = ${whole(pools.flatMap(pool => (pool.routedByAgent ? [pool.cidr] : [])))};`,
    `define BLOCKS${v} = ${set(blocks.map(formatCidr))};`,
    `define INSIDE${v} = ${set(inside)};`,
  ];
}

function filters({ state, version, v }: Context): readonly string[] {
  const shared = [
    `  if net ~ BLOCKS${v} then accept;`,
    `  if net ~ INSIDE${v} then reject;`,
    ...state.customFilters[version].map(text => `  ${text.replaceAll('\n', '\n  ')}`),
    `  if net ~ POOLS${v} then accept;`,
    '  reject;',
    '}',
  ];
  const subnets = sortedCidrs(state.ownSubnets.filter(subnet => subnet.version === version));
  return [
    // From a speaker on our own link: where nothing says how to reach the next hop, it is the way itself.
    `filter from_neighbor${v} {`,
    '  if dest = RTD_UNREACHABLE then gw = from;',
    '  accept;',
    '}',
    // To nodes and reflectors of our own AS.
    `filter to_peer${v} {`,
    ...shared,
    // To speakers outside that every node talks to: each node announces what it originates, and no more.
    `filter own_to_peer${v} {`,
    '  if source = RTS_BGP then reject;',
    ...shared,
    // To a speaker outside that this node may be the only way for: everything, by the straight way if there is one.
    `filter all_to_neighbor${v} {`,
    ...subnets.map(subnet => {
      const near = `bgp_next_hop ~ ${formatCidr(subnet)}`;
      return `  if source = RTS_BGP && ${near} then bgp_next_hop = bgp_next_hop;`;
    }),
    ...shared,
    `filter to_kernel${v} {`,
    '  if source = RTS_DEVICE then reject;',
    `  if net ~ TUNNEL${v} && source = RTS_BGP then reject;`,
    '  accept;',
    '}',
    '',
  ];
}

/**
 * Of the kernel's own routes, those of workloads are for others, and those outside of all pools (a default
 * route) are how next hops in other subnets are reached. Routes inside a pool that somebody else wrote, of
 * tunnels above all, must not come back as if this node originated them.
 */
function kernel({ state, v }: Context): readonly string[] {
  const workload = prefixesOf(state).map(prefix => `ifname ~ "${prefix}*"`);
  const wanted = [...workload, `!(net ~ POOLS${v})`].join(' || ');
  return [
    `protocol kernel kernel${v} {`,
    '  learn; persist; scan time 2; graceful restart; merge paths on;',
    `  ipv${v} { import where ${wanted}; export filter to_kernel${v}; };`,
    '}',
  ];
}

/** Ends packets for unassigned addresses of own blocks here; a block of one address is its workload's route. */
function blackholes({ version, v, blocks }: Context): readonly string[] {
  const wide = blocks.filter(block => block.length < widthOf(version));
  const routes = wide.map(block => `  route ${formatCidr(block)} blackhole;`);
  return [`protocol static blocks${v} {`, `  ipv${v};`, ...routes, '}'];
}

function sessions({ state, version, v }: Context): readonly string[] {
  const local = addressOf(state.node, version);
  if (local === undefined) return [];
  return [
    `template bgp peer${v} {`,
    `  local ${formatIp(local)} as ${String(state.node.asNumber ?? state.asNumber)};`,
    '  multihop;',
    `  hold time ${String(state.holdTime ?? DEFAULT_HOLD_TIME)};`,
    '  graceful restart on; graceful restart time 60;',
    '  connect delay time 1; connect retry time 5; error wait time 5, 30;',
    `  ipv${v} { import all; export filter to_peer${v}; next hop self ebgp; gateway recursive; add paths on; };`,
    '}',
    ...sessionsOf(state, version).map(session => sessionLine(state, session, local)),
  ];
}

function sessionLine(state: BgpState, session: Session, local: Ip): string {
  const v = String(local.version);
  const outside = session.asNumber !== (state.node.asNumber ?? state.asNumber);
  const near =
    session.type !== 'Mesh' &&
    session.address.bits !== local.bits &&
    state.ownSubnets.some(subnet => contains(subnet, session.address) && contains(subnet, local));
  const channel = [
    ...(near ? [`import filter from_neighbor${v};`] : []),
    ...(outside && session.type === 'Node'
      ? ['next hop self off;', `export filter all_to_neighbor${v};`]
      : []),
    ...(outside && session.type !== 'Node' ? [`export filter own_to_peer${v};`] : []),
  ];
  const parts = [
    `neighbor ${formatIp(session.address)} as ${String(session.asNumber)};`,
    ...(session.password === undefined ? [] : [`password ${quoted(session.password)};`]),
    ...(session.client ? [`rr client; rr cluster id ${clusterId(state)};`] : []),
    ...(channel.length > 0 ? [`ipv${v} { ${channel.join(' ')} };`] : []),
  ];
  return `protocol bgp ${session.name} from peer${v} { ${parts.join(' ')} }`;
}

/** BIRD knows no escapes inside quotes: what it cannot quote was refused by `passwords.ts`. */
function quoted(text: string): string {
  if (text.includes('"') || text.includes('\n')) throw new Error('a text that cannot be quoted');
  return `"${text}"`;
}

/** Read from text by `state-from.ts`; here it only must not be anything else. */
function clusterId({ node }: BgpState): string {
  const ip = parseIp(node.clusterId ?? '');
  if (ip?.version !== 4) throw new Error(`${String(node.clusterId)} is no cluster id`);
  return formatIp(ip);
}

function prefixesOf(state: BgpState): readonly string[] {
  for (const prefix of state.interfacePrefixes) {
    // An interface name has at most 15 bytes; these characters mean nothing inside BIRD's quotes.
    if (!/^[A-Za-z0-9_.-]{1,14}$/.test(prefix)) {
      const issue = {
        path: 'interfacePrefix',
        value: prefix,
        expected: '1 to 14 letters, digits, "_", "." or "-"',
      };
      throw new CalicoError('invalid', `the interface prefix '${prefix}' cannot be used`, {
        issues: [issue],
      });
    }
  }
  return [...new Set(state.interfacePrefixes)].sort();
}

function ignoredInterfaces(state: BgpState): string {
  return [...prefixesOf(state), 'kube-ipvs'].map(prefix => `-"${prefix}*"`).join(', ');
}

function set(members: readonly string[]): string {
  if (members.length === 0) return '[ ]';
  // A line for each member keeps a difference of two configurations readable.
  return members.length === 1 ? `[ ${members.join('')} ]` : `[\n  ${members.join(',\n  ')}\n]`;
}

/** Canonical networks in the order of their numbers, each once. */
function sortedCidrs(cidrs: readonly Cidr[]): readonly Cidr[] {
  const unique = new Map(cidrs.map(cidr => [formatCidr(cidr), cidr]));
  return [...unique.values()].sort((a, b) =>
    a.bits === b.bits ? a.length - b.length : a.bits < b.bits ? -1 : 1,
  );
}
