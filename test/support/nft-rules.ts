import { makeRule } from '../../src/dataplane/nft/rule-text.js';
import type { Transaction } from '../../src/dataplane/nft/diff.js';
import type { NftSet, Rule, Statement, Test, Verdict } from '../../src/dataplane/nft/model.js';
import { parseCidr } from '../../src/net/index.js';
import type { Cidr } from '../../src/net/index.js';

/** Rules of every kind that the model knows, and the sets, maps and chains that they refer to. */
const accept: Verdict = { kind: 'accept' };

function cidrs(...texts: readonly string[]): readonly Cidr[] {
  return texts.map(text => {
    const net = parseCidr(text);
    if (net === undefined) throw new Error(`not a network: ${text}`);
    return net;
  });
}

const sets: readonly NftSet[] = [
  { name: 's4-a', key: ['ipv4_addr'], verdicts: false },
  { name: 's6-a', key: ['ipv6_addr'], verdicts: false },
  { name: 'pool4-a', key: ['ipv4_addr'], verdicts: false, intervals: true },
  { name: 'pool6-a', key: ['ipv6_addr'], verdicts: false, intervals: true },
  { name: 'wl-down', key: ['ifname'], verdicts: false },
  { name: 'wl-src4', key: ['ipv4_addr', 'ifname'], verdicts: false },
  { name: 'wl-src6', key: ['ipv6_addr', 'ifname'], verdicts: false },
  { name: 'np4-a', key: ['ipv4_addr', 'inet_proto', 'inet_service'], verdicts: false },
  { name: 'np6-a', key: ['ipv6_addr', 'inet_proto', 'inet_service'], verdicts: false },
];
const maps: readonly NftSet[] = [
  { name: 'wl-from', key: ['ifname'], verdicts: true },
  { name: 'x-1', key: ['inet_proto', 'inet_service'], verdicts: true, size: 5 },
];

const members: Readonly<Record<string, readonly string[]>> = {
  's4-a': ['10.0.0.1', '0.0.0.0', '255.255.255.255'],
  's6-a': ['fd00::1', '::', 'ffff::'],
  'pool4-a': ['0.0.0.0/8', '10.0.0.0/9', '10.128.0.0/16', '192.0.2.1/32', '240.0.0.0/4'],
  'pool6-a': ['fd00::/8', 'ff00::/8'],
  'wl-down': ['cali1', 'cali-with.dots15'.slice(0, 15)],
  'wl-src4': ['10.0.0.1 . cali1', '10.0.0.1 . cali2'],
  'wl-src6': ['fd00::1 . cali1'],
  'np4-a': ['10.0.0.1 . 6 . 8080', '10.0.0.1 . 17 . 1'],
  'np6-a': ['fd00::1 . 132 . 65535'],
};
const verdicts: Readonly<Record<string, ReadonlyMap<string, Verdict>>> = {
  'wl-from': new Map<string, Verdict>([
    ['cali1', { kind: 'goto', chain: 'b-1' }],
    ['cali2', { kind: 'drop' }],
    ['cali3', { kind: 'jump', chain: 'b-1' }],
    ['cali4', { kind: 'accept' }],
    ['cali5', { kind: 'return' }],
  ]),
  'x-1': new Map<string, Verdict>([
    ['6 . 80', { kind: 'goto', chain: 'b-1' }],
    ['132 . 65535', { kind: 'drop' }],
  ]),
};

/** After the table: chains, sets, maps and their elements. */
export const setsOfRules: Transaction = [
  { op: 'add-counter', name: 'drop-x' },
  ...sets.map(set => ({ op: 'add-set', set }) as const),
  ...maps.map(set => ({ op: 'add-set', set }) as const),
  ...sets.map(
    set =>
      ({
        op: 'add-elements',
        set,
        elements: new Map((members[set.name] ?? []).map(key => [key, null])),
      }) as const,
  ),
  { op: 'add-chain', name: 'b-1' },
  { op: 'add-chain', name: 'raw-pre', base: { type: 'filter', hook: 'prerouting', priority: -300 } },
  { op: 'add-chain', name: 'forward', base: { type: 'filter', hook: 'forward', priority: -1 } },
  { op: 'add-chain', name: 'nat-pre', base: { type: 'nat', hook: 'prerouting', priority: -100 } },
  { op: 'add-chain', name: 'nat-post', base: { type: 'nat', hook: 'postrouting', priority: 100 } },
  ...maps.map(
    set => ({ op: 'add-elements', set, elements: verdicts[set.name] ?? new Map<string, Verdict>() }) as const,
  ),
];

function bothWays<Kind extends Test['kind']>(
  test: Extract<Test, { kind: Kind; negated: boolean }>,
): readonly Test[] {
  return [test, { ...test, negated: !test.negated }];
}

const range = (min: number, max = min) => ({ min, max });
const tcp: Test = { kind: 'protocol', protocol: 6, negated: false };

function ports(...ranges: readonly ReturnType<typeof range>[]): readonly Test[] {
  return (['source', 'destination'] as const).flatMap(side =>
    bothWays<'ports'>({ kind: 'ports', side, ranges, negated: false }),
  );
}

function nets(version: 4 | 6, ...texts: readonly string[]): readonly Test[] {
  return (['source', 'destination'] as const).flatMap(side =>
    bothWays<'nets'>({ kind: 'nets', side, version, nets: cidrs(...texts), negated: false }),
  );
}

function inSet(version: 4 | 6, length: number): readonly Test[] {
  const set = version === 4 ? 's4-a' : 's6-a';
  return (['source', 'destination'] as const).flatMap(side =>
    bothWays<'in-set'>({ kind: 'in-set', side, version, set, length, negated: false }),
  );
}

const tests: readonly (readonly Test[])[] = [
  [],
  [{ kind: 'family', version: 4 }],
  [{ kind: 'family', version: 6 }],
  ...bothWays<'protocol'>({ kind: 'protocol', protocol: 6, negated: false }).map(test => [test]),
  ...[
    ...ports(range(80)),
    ...ports(range(0)),
    ...ports(range(100, 200)),
    ...ports(range(1), range(443)),
    ...ports(range(0, 5), range(443), range(60_000, 65_535)),
  ].map(test => [tcp, test]),
  ...[
    ...nets(4, '10.1.2.3/32'),
    ...nets(4, '10.0.0.0/8'),
    ...nets(4, '10.1.2.0/25'),
    ...nets(4, '10.0.0.1/32', '10.0.0.2/32'),
    ...nets(4, '0.0.0.0/8', '10.0.0.0/8', '192.0.2.1/32'),
    ...nets(4, '10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/30', '10.0.0.9/32'),
    ...nets(4, '172.16.0.0/12', '224.0.0.0/3'),
    ...nets(6, 'fe80::/10'),
    ...nets(6, '::/128'),
    ...nets(6, 'fd00::/8', 'ff00::/8'),
    ...[0, 1, 16, 31, 32].flatMap(length => inSet(4, length)),
    ...[0, 64, 127, 128].flatMap(length => inSet(6, length)),
  ].flatMap(test => [
    [test],
    ...('version' in test ? [[{ kind: 'family', version: test.version } as const, test]] : []),
  ]),
  [...inSet(4, 32).slice(0, 1), ...nets(4, '10.0.0.0/8').slice(-1)],
  ...[
    ...bothWays<'icmp'>({ kind: 'icmp', type: 8, negated: false }),
    ...bothWays<'icmp'>({ kind: 'icmp', type: 0, code: 0, negated: false }),
    ...bothWays<'icmp'>({ kind: 'icmp', type: 255, code: 3, negated: false }),
  ].map(test => [{ kind: 'protocol', protocol: 1, negated: false } as const, test]),
  ...(['source', 'destination'] as const).flatMap(side =>
    ([4, 6] as const).flatMap(version =>
      bothWays<'port-in-set'>({
        kind: 'port-in-set',
        side,
        version,
        set: `np${String(version)}-a`,
        negated: false,
      }).map(test => [tcp, test]),
    ),
  ),
  [{ kind: 'icmp-types', types: [134] }],
  [{ kind: 'icmp-types', types: [134, 137] }],
  [{ kind: 'interface-prefix', side: 'in', prefix: 'cali' }],
  [{ kind: 'interface-prefix', side: 'out', prefix: 'tap-1' }],
  [{ kind: 'interface-in-set', set: 'wl-down' }],
  [{ kind: 'no-output-interface' }],
  [{ kind: 'input-interface' }],
  [{ kind: 'out-interface', name: 'vxlan-v6.calico' }],
  [{ kind: 'source-on-interface', version: 4, set: 'wl-src4' }],
  [{ kind: 'source-on-interface', version: 6, set: 'wl-src6' }],
  ...(['established', 'related', 'invalid', 'untracked'] as const).flatMap(state =>
    bothWays<'conntrack'>({ kind: 'conntrack', states: [state], negated: false }).map(test => [test]),
  ),
  [{ kind: 'rate', count: 5, per: 'second', burst: 5 }],
  [{ kind: 'rate', count: 100_000, per: 'day', burst: 1 }],
  ...bothWays<'conntrack'>({
    kind: 'conntrack',
    states: ['established', 'related', 'untracked'],
    negated: false,
  }).map(test => [test]),
  ...bothWays<'mark'>({ kind: 'mark', bits: 0x8000_0010, negated: false }).map(test => [test]),
];

const statements: readonly Statement[] = [
  { kind: 'accept' },
  { kind: 'drop' },
  { kind: 'return' },
  { kind: 'goto', chain: 'b-1' },
  { kind: 'jump', chain: 'b-1' },
  { kind: 'log', prefix: 'calico-drop: "a\\b' },
  { kind: 'log', prefix: 'calico-drop: ', level: 'warn' },
  { kind: 'log', prefix: 'to listeners', group: 513 },
  { kind: 'count', counter: 'drop-x' },
  { kind: 'masquerade' },
  { kind: 'notrack' },
  { kind: 'set-mark', bits: 0x10 },
  { kind: 'dispatch', key: 'in-interface', map: 'wl-from' },
  { kind: 'dispatch', key: 'out-interface', map: 'wl-from' },
  { kind: 'dispatch', key: 'protocol-and-port', map: 'x-1' },
];

/** One rule for each kind of test and of statement, in their variations. */
export const everyRule: readonly Rule[] = [
  ...tests.map((list, index) => makeRule(list, accept, `test ${String(index)}`)),
  ...statements.map(statement => makeRule([], statement, `what "${statement.kind}" does`)),
  makeRule([{ kind: 'family', version: 4 }], { kind: 'masquerade' }, 'x'.repeat(200)),
  makeRule([tcp], { kind: 'dnat', version: 4, address: '127.0.0.1', port: 8775 }, 'metadata'),
  makeRule([tcp], { kind: 'dnat', version: 6, address: 'fd00::1', port: 80 }, 'with a port'),
  makeRule([], { kind: 'dnat', version: 4, address: '10.65.0.1' }, 'floating'),
  makeRule([], { kind: 'dnat', version: 6, address: 'fd00::1' }, 'floating'),
  makeRule([], { kind: 'snat', version: 4, address: '10.65.0.1' }, 'to itself'),
  makeRule([], { kind: 'snat', version: 6, address: 'fd00::1' }, 'to itself'),
  ...(['host', 'outgoing'] as const).flatMap(of =>
    [true, false].map(negated =>
      makeRule([{ kind: 'local-source', of, negated }], { kind: 'masquerade' }, `local source, ${of}`),
    ),
  ),
];
