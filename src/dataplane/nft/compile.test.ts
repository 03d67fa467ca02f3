import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../base/index.js';
import { parseCidr } from '../../net/index.js';
import type {
  ActiveMatch,
  ActiveRule,
  DataplaneUpdate,
  EndpointId,
  PolicyId,
  ProfileId,
  SetId,
} from '../../policy/index.js';
import { createCompiler } from './compile.js';
import type { Compiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import type { NftConfig } from './config.js';
import { patchBetween, transactionOf } from './diff.js';
import { addressSetName, policyChainName } from './names.js';
import { renderTransaction } from './render.js';
import { ruleText } from './rule-text.js';

function compiler(config: Partial<NftConfig> = {}): Compiler {
  return createCompiler({ ...defaultNftConfig, ...config }, silentLogger);
}

function policy(
  id: string,
  ingress: readonly ActiveRule[],
  egress: readonly ActiveRule[] = [],
): DataplaneUpdate {
  return { kind: 'policy-updated', id: id as PolicyId, rules: { ingress, egress } };
}

function profile(
  id: string,
  ingress: readonly ActiveRule[] = [],
  egress: readonly ActiveRule[] = [],
): DataplaneUpdate {
  return { kind: 'profile-updated', id: id as ProfileId, rules: { ingress, egress } };
}

interface EndpointOptions {
  readonly tiers?: readonly { readonly ingress?: readonly string[]; readonly egress?: readonly string[] }[];
  readonly profiles?: readonly string[];
  readonly kind?: 'workload' | 'host';
  readonly addresses?: readonly string[];
}

function endpoint(interfaceName: string, options: EndpointOptions = {}): DataplaneUpdate {
  const { tiers = [], profiles = [], kind = 'workload', addresses = [] } = options;
  const id = `endpoint:${interfaceName}` as EndpointId;
  return {
    kind: 'endpoint-updated',
    id,
    local: {
      endpoint: {
        id,
        kind,
        node: 'here',
        labels: {},
        interfaceName,
        adminUp: true,
        addresses,
        profiles: profiles as readonly ProfileId[],
      },
      tiers: tiers.map(({ ingress = [], egress = [] }, index) => ({
        name: `tier${String(index)}`,
        ingress: ingress as readonly PolicyId[],
        egress: egress as readonly PolicyId[],
      })),
    },
  };
}

/** The rules of a chain as nft text, without comments. */
function rulesOf(compiled: Compiler, chain: string): readonly string[] {
  const rules = compiled.ruleset().chains.get(chain)?.rules ?? [];
  return rules.map(rule => ruleText(rule).replace(/ comment ".*"$/, ''));
}

/** How a single rule of an ingress policy comes out. */
function rendered(match: ActiveMatch, ...sets: readonly DataplaneUpdate[]): readonly string[] {
  const compiled = compiler();
  compiled.accept([
    ...sets,
    policy('p', [{ action: 'allow', match }]),
    endpoint('cali1', { tiers: [{ ingress: ['p'] }] }),
  ]);
  return rulesOf(compiled, policyChainName('ingress', 'p' as PolicyId, 'normal'));
}

function goal(compiled: Compiler, map: string, key: string): string {
  const verdict = compiled.ruleset().elements.get(map)?.get(key);
  return verdict === null || verdict === undefined || !('chain' in verdict) ? '' : verdict.chain;
}

/** The maps that a chain looks packets up in. */
function dispatchOf(compiled: Compiler, chain: string): readonly string[] {
  return rulesOf(compiled, chain).flatMap(rule => /@(x-\S+)/.exec(rule)?.[1] ?? []);
}

/** What the compiler asks of the kernel since the last call. */
function transaction(compiled: Compiler): readonly string[] {
  const text = renderTransaction(transactionOf(compiled.takePatch(), compiled.ruleset()));
  return text.split('\n').filter(line => line !== '');
}

function nets(...texts: readonly string[]) {
  return texts.map(text => parseCidr(text)).filter(net => net !== undefined);
}

const port = (number: number) => [{ min: number, max: number }];
const tcpTo = (number: number): ActiveRule => ({
  action: 'allow',
  match: { protocol: 6, destinationPorts: port(number) },
});

describe('a rule', () => {
  test('that does not look at addresses is one kernel rule for both families', () => {
    expect(
      rendered({ protocol: 6, destinationPorts: [...port(443), { min: 80, max: 81 }, ...port(82)] }),
    ).toStrictEqual(['meta l4proto 6 th dport { 80-82, 443 } accept']);
  });

  test('with networks counts only those of the packet’s family, and none of it means no match', () => {
    expect(rendered({ sourceNets: nets('10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24') })).toStrictEqual([
      'meta nfproto ipv4 ip saddr { 10.0.0.0/8, 192.0.2.0/24 } accept',
    ]);
    expect(rendered({ notSourceNets: nets('10.0.0.0/8') })).toStrictEqual([
      'meta nfproto ipv4 ip saddr != 10.0.0.0/8 accept',
    ]);
    expect(rendered({ notSourceNets: nets('0.0.0.0/0', '2001:db8::/32') })).toStrictEqual([
      'meta nfproto ipv6 ip6 saddr != 2001:db8::/32 accept',
    ]);
  });

  test('with an excluded set has a twin for the other family', () => {
    const id = 's1' as SetId;
    const [four, six] = [addressSetName(id, 4, 32), addressSetName(id, 6, 128)];
    expect(rendered({ notSourceSets: [id] }, { kind: 'set-created', id, members: new Set() })).toStrictEqual([
      `meta nfproto ipv4 ip saddr != @${four} accept`,
      `meta nfproto ipv6 ip6 saddr != @${six} accept`,
    ]);
  });

  test('looks up one kernel set for each prefix length, and demands several sets at once', () => {
    const [one, two] = ['s1' as SetId, 's2' as SetId];
    const members = new Set(['10.0.0.1', '10.2.0.0/16']);
    const created = [one, two].map((id): DataplaneUpdate => ({
      kind: 'set-created',
      id,
      members: id === one ? members : new Set(['10.0.0.1']),
    }));
    const rules = rendered({ ipVersion: 4, destinationSets: [one, two] }, ...created);
    const second = `ip daddr @${addressSetName(two, 4, 32)} accept`;
    expect(rules).toStrictEqual([
      `meta nfproto ipv4 ip daddr @${addressSetName(one, 4, 32)} ${second}`,
      `meta nfproto ipv4 ip daddr & 255.255.0.0 @${addressSetName(one, 4, 16)} ${second}`,
    ]);
  });

  test('with an ICMP type but no protocol means the ICMP of each family, and 0 and 255 are literal', () => {
    expect(rendered({ icmp: { type: 0 } })).toStrictEqual([
      'meta nfproto ipv4 meta l4proto 1 @th,0,8 0 accept',
      'meta nfproto ipv6 meta l4proto 58 @th,0,8 0 accept',
    ]);
    expect(rendered({ protocol: 1, notIcmp: { type: 3, code: 255 } })).toStrictEqual([
      'meta nfproto ipv4 meta l4proto 1 @th,0,16 != 1023 accept',
    ]);
    expect(rendered({ protocol: 6, icmp: { type: 8 } })).toStrictEqual([]);
  });

  test('with ports but without a protocol that has ports matches nothing', () => {
    expect(rendered({ destinationPorts: port(80) })).toStrictEqual([]);
    expect(rendered({ protocol: 47, notSourcePorts: port(80) })).toStrictEqual([]);
  });
});

describe('a list of policies', () => {
  test('is one chain for all endpoints that share it, and goes with the last of them', () => {
    const compiled = compiler();
    const tiers = [{ ingress: ['p'] }];
    compiled.accept([policy('p', []), endpoint('cali1', { tiers }), endpoint('cali2', { tiers })]);
    const chain = goal(compiled, 'wl-to', 'cali1');
    expect(chain).toMatch(/^lt-/);
    expect(goal(compiled, 'wl-to', 'cali2')).toBe(chain);
    const remove = (name: string): DataplaneUpdate => ({
      kind: 'endpoint-removed',
      id: `endpoint:${name}` as EndpointId,
    });
    compiled.accept([remove('cali1')]);
    expect(compiled.ruleset().chains.has(chain)).toBe(true);
    compiled.accept([remove('cali2'), { kind: 'policy-removed', id: 'p' as PolicyId }]);
    expect(compiled.ruleset().chains.has(chain)).toBe(false);
    expect(compiled.ruleset().chains.has(policyChainName('ingress', 'p' as PolicyId, 'normal'))).toBe(false);
  });

  test('leaves the direction that it does not govern to the profiles', () => {
    const compiled = compiler();
    compiled.accept([
      policy('p', []),
      profile('q'),
      endpoint('cali1', { tiers: [{ ingress: ['p'] }], profiles: ['q'] }),
    ]);
    expect(goal(compiled, 'wl-to', 'cali1')).toMatch(/^lt-/);
    expect(goal(compiled, 'wl-from', 'cali1')).toMatch(/^qf-/);
    expect(goal(compiled, 'wl-prof-to', 'cali1')).toMatch(/^qt-/);
  });

  test('becomes a port index from three port-bound rules on, with equal buckets shared', () => {
    const compiled = compiler();
    const allow = [80, 443].map(tcpTo);
    compiled.accept([policy('p', allow), endpoint('cali1', { tiers: [{ ingress: ['p'] }] })]);
    const chain = goal(compiled, 'wl-to', 'cali1');
    expect(rulesOf(compiled, chain)).toStrictEqual([
      `jump ${policyChainName('ingress', 'p' as PolicyId, 'normal')}`,
      'goto drop-no-rule-matched',
    ]);

    const ping: ActiveRule = { action: 'allow', match: { protocol: 1 } };
    const alike: ActiveRule = {
      action: 'deny',
      match: { protocol: 6, destinationPorts: [{ min: 8000, max: 8001 }] },
    };
    compiled.accept([policy('p', [...allow, alike, ping])]);
    const [lookup = '', ...rest] = rulesOf(compiled, chain);
    const map = /@(x-\S+)$/.exec(lookup)?.[1] ?? '';
    expect(lookup).toBe(`meta l4proto . th dport vmap @${map}`);
    expect(rest).toStrictEqual(['meta nfproto ipv4 meta l4proto 1 accept', 'goto drop-no-rule-matched']);
    expect(rulesOf(compiled, goal(compiled, map, '6 . 443'))).toStrictEqual([
      'accept',
      'goto drop-no-rule-matched',
    ]);
    expect(goal(compiled, map, '6 . 8000')).toBe(goal(compiled, map, '6 . 8001'));
  });

  test('goes on at the next tier when an earlier one passes, and at the profiles only from the last', () => {
    const compiled = compiler();
    const pass: readonly ActiveRule[] = [{ action: 'pass', match: {} }];
    compiled.accept([
      policy('a', pass),
      policy('b', pass),
      endpoint('cali1', { tiers: [{ ingress: ['a'] }, { ingress: ['b'] }] }),
    ]);
    const [first = '', second = ''] = rulesOf(compiled, goal(compiled, 'wl-to', 'cali1')).map(
      rule => rule.split(' ')[1] ?? '',
    );
    expect(rulesOf(compiled, first)).toStrictEqual(['return', 'goto drop-no-rule-matched']);
    expect(rulesOf(compiled, second)).toStrictEqual([
      `jump ${policyChainName('ingress', 'b' as PolicyId, 'normal')}`,
      'goto drop-no-rule-matched',
    ]);
    expect(rulesOf(compiled, policyChainName('ingress', 'b' as PolicyId, 'normal'))).toStrictEqual([
      'goto prof-to',
    ]);
  });

  test('denies where a policy or a profile is not known', () => {
    const compiled = compiler();
    compiled.accept([endpoint('cali1', { tiers: [{ ingress: ['gone'] }], profiles: ['gone'] })]);
    expect(rulesOf(compiled, policyChainName('ingress', 'gone' as PolicyId, 'normal'))).toStrictEqual([
      'goto drop-denied-by-rule',
    ]);
    const [jump = ''] = rulesOf(compiled, goal(compiled, 'wl-from', 'cali1'));
    expect(rulesOf(compiled, jump.replace('jump ', ''))).toStrictEqual(['goto drop-denied-by-rule']);
  });
});

describe('the cost of a change', () => {
  const tiers = [{ ingress: ['p'], egress: ['p'] }];
  const many = Array.from({ length: 200 }, (_, index) =>
    endpoint(`cali${String(index)}`, { tiers, addresses: [`10.65.1.${String(index)}`] }),
  );

  function filled(): Compiler {
    const compiled = compiler();
    const members = new Set(['10.65.1.1']);
    const match: ActiveMatch = { sourceSets: ['s' as SetId] };
    compiled.accept([
      { kind: 'set-created', id: 's' as SetId, members },
      policy('p', [{ action: 'allow', match }]),
      ...many,
    ]);
    compiled.takePatch();
    return compiled;
  }

  test('of an endpoint with a known list is its map elements', () => {
    const compiled = filled();
    compiled.accept([endpoint('cali999', { tiers, addresses: ['10.65.9.9'] })]);
    const lines = transaction(compiled);
    expect(lines).toHaveLength(3);
    expect(lines.every(line => line.startsWith('add element inet calico wl-'))).toBe(true);
  });

  test('of a set’s members touches no chain', () => {
    const compiled = filled();
    compiled.accept([
      { kind: 'set-changed', id: 's' as SetId, added: ['10.65.1.2', 'fd80::2'], removed: ['10.65.1.1'] },
    ]);
    const [four, six] = [addressSetName('s' as SetId, 4, 32), addressSetName('s' as SetId, 6, 128)];
    expect(transaction(compiled)).toStrictEqual([
      `delete element inet calico ${four} { 10.65.1.1 }`,
      `add element inet calico ${four} { 10.65.1.2 }`,
      `add element inet calico ${six} { fd80::2 }`,
    ]);
  });

  test('of a policy more for all endpoints is what stands in that policy', () => {
    const ports = Array.from({ length: 20 }, (_, index) =>
      policy(`p${String(index)}`, [tcpTo(8000 + index)]),
    );
    const ids = ports.map((_, index) => `p${String(index)}`);
    const all = (ingress: readonly string[]) =>
      Array.from({ length: 200 }, (_, index) => endpoint(`cali${String(index)}`, { tiers: [{ ingress }] }));
    const compiled = compiler();
    compiled.accept([...ports, ...all(ids)]);
    compiled.takePatch();
    const place = goal(compiled, 'wl-to', 'cali0');

    compiled.accept([policy('more', [tcpTo(9000)]), ...all([...ids, 'more'])]);
    const [map = ''] = dispatchOf(compiled, place);
    const key = '6 . 9000';
    const bucket = goal(compiled, map, key);
    expect(transaction(compiled)).toStrictEqual([
      `add chain inet calico ${bucket}`,
      expect.stringMatching(`^add rule inet calico ${bucket} accept`),
      expect.stringMatching(`^add rule inet calico ${bucket} goto drop-no-rule-matched`),
      `add element inet calico ${map} { ${key} : goto ${bucket} }`,
    ]);

    compiled.accept([{ kind: 'policy-removed', id: 'more' as PolicyId }, ...all(ids)]);
    expect(transaction(compiled)).toStrictEqual([
      `delete element inet calico ${map} { ${key} }`,
      `flush chain inet calico ${bucket}`,
      `delete chain inet calico ${bucket}`,
    ]);
  });

  test('that changes nothing is nothing', () => {
    const compiled = filled();
    compiled.accept([endpoint('cali7', { tiers, addresses: ['10.65.1.7'] })]);
    expect(transaction(compiled)).toStrictEqual([]);
  });

  test('leads to the same table as compiling everything afresh', () => {
    const compiled = filled();
    const last = [
      policy('p', [80, 81, 82].map(tcpTo)),
      endpoint('cali1', { kind: 'workload', profiles: ['q'] }),
      profile('q'),
      endpoint('eth0', { kind: 'host', tiers }),
    ];
    compiled.accept(last);
    const fresh = compiler();
    fresh.accept([
      { kind: 'set-created', id: 's' as SetId, members: new Set(['10.65.1.1']) },
      policy('p', [80, 81, 82].map(tcpTo)),
      profile('q'),
      ...many,
      ...last,
    ]);
    const { sets, chains, elements, counters } = compiled.ruleset();
    const snapshot = {
      sets,
      elements,
      counters,
      chains: new Map(
        [...chains].map(([name, { base, rules }]) => [
          name,
          { ...(base && { base }), fingerprints: rules.map(rule => rule.fingerprint) },
        ]),
      ),
    };
    const {
      sets: setChanges,
      chains: chainChanges,
      elements: elementChanges,
    } = patchBetween(snapshot, fresh.ruleset());
    expect([...setChanges, ...chainChanges, ...elementChanges]).toStrictEqual([]);
  });
});

describe('the place of a list in the table', () => {
  const policies = ['a', 'b', 'c'].map((id, index) => policy(id, [tcpTo(80 + index)]));
  const cali = (index: number, ...ingress: readonly string[]) =>
    endpoint(`cali${String(index)}`, { tiers: [{ ingress }] });

  function placed(...endpoints: readonly DataplaneUpdate[]): Compiler {
    const compiled = compiler();
    compiled.accept([...policies, ...endpoints]);
    return compiled;
  }
  const places = (compiled: Compiler, ...indexes: readonly number[]): readonly string[] =>
    indexes.map(index => goal(compiled, 'wl-to', `cali${String(index)}`));
  const jumps = (compiled: Compiler, index: number): readonly string[] =>
    rulesOf(compiled, goal(compiled, 'wl-to', `cali${String(index)}`));
  const expected = (...ids: readonly string[]): readonly string[] => [
    ...ids.map(id => `jump ${policyChainName('ingress', id as PolicyId, 'normal')}`),
    'goto drop-no-rule-matched',
  ];

  test('goes over to the list that all its users use instead, and both say what they should', () => {
    const compiled = placed(cali(1, 'a'), cali(2, 'a'));
    const before = places(compiled, 1, 2);
    compiled.accept([cali(1, 'a', 'b'), cali(2, 'a', 'b')]);
    expect(places(compiled, 1, 2)).toStrictEqual(before);
    expect(jumps(compiled, 1)).toStrictEqual(expected('a', 'b'));
  });

  test('stays when some leave, and a list that comes back gets another while its own is taken', () => {
    const compiled = placed(cali(1, 'a'), cali(2, 'a'));
    const [first] = places(compiled, 1);
    compiled.accept([cali(1, 'b')]);
    expect(places(compiled, 2)).toStrictEqual([first]);
    expect(places(compiled, 1)).not.toStrictEqual([first]);
    compiled.accept([cali(2, 'c')]);
    // `c` stands under the name that `a` had at first.
    expect(places(compiled, 2)).toStrictEqual([first]);
    compiled.accept([cali(3, 'a')]);
    expect(places(compiled, 3)).not.toStrictEqual([first]);
    expect([jumps(compiled, 2), jumps(compiled, 3)]).toStrictEqual([expected('c'), expected('a')]);
  });

  test('is that of the list with more users when two become one, and goes to the larger part when one becomes two', () => {
    const compiled = placed(cali(1, 'a'), cali(2, 'b'), cali(3, 'b'));
    const [, larger] = places(compiled, 1, 2);
    compiled.accept([cali(1, 'c'), cali(2, 'c'), cali(3, 'c')]);
    expect(places(compiled, 1, 2, 3)).toStrictEqual([larger, larger, larger]);
    compiled.accept([cali(1, 'a'), cali(2, 'b'), cali(3, 'b')]);
    expect(places(compiled, 2, 3)).toStrictEqual([larger, larger]);
    expect([jumps(compiled, 1), jumps(compiled, 2)]).toStrictEqual([expected('a'), expected('b')]);
    expect([...compiled.ruleset().chains.keys()].filter(name => name.startsWith('lt-'))).toHaveLength(2);
  });

  test('is kept by each of several tiers', () => {
    const tiers = (...last: readonly string[]) =>
      endpoint('cali1', { tiers: [{ ingress: ['a'] }, { ingress: last }] });
    const compiled = placed(tiers('b'));
    const before = jumps(compiled, 1);
    compiled.accept([tiers('b', 'c')]);
    expect(jumps(compiled, 1)).toStrictEqual(before);
    expect(rulesOf(compiled, before[1]?.replace('goto ', '') ?? '')).toStrictEqual(expected('b', 'c'));
  });
});

describe('a list that has a port index now and then', () => {
  const ids = Array.from({ length: 8 }, (_, index) => `s${String(index)}`);
  const world: readonly DataplaneUpdate[] = [
    ...ids.map((id, index): DataplaneUpdate => ({
      kind: 'set-created',
      id: id as SetId,
      members: new Set([`10.65.1.${String(index)}`]),
    })),
    // All of them are one rule with a union of their sets while there is an index, and each has a chain without.
    ...ids.map(id =>
      policy(id, [{ action: 'allow', match: { ...tcpTo(79).match, sourceSets: [id as SetId] } }]),
    ),
    ...['a', 'b'].map((id, index) => policy(id, [tcpTo(80 + index)])),
    policy('ping', [{ action: 'allow', match: { protocol: 1, icmp: { type: 8 } } }]),
  ];
  const cali = (...ingress: readonly string[]) => endpoint('cali1', { tiers: [{ ingress }] });

  test('looks up sets that are there, whatever it remembers', () => {
    const compiled = compiler();
    const [many, few] = [cali(...ids, 'a', 'b', 'ping'), cali(...ids, 'a', 'ping')];
    for (const updates of [[...world, many], [few], [many], [few], [many]]) {
      compiled.accept(updates);
      const { chains, sets } = compiled.ruleset();
      const lookedUp = [...chains.values()].flatMap(({ rules }) =>
        rules.flatMap(({ tests }) => tests.flatMap(each => ('set' in each ? [each.set] : []))),
      );
      expect(lookedUp.length).toBeGreaterThan(0);
      expect(lookedUp.filter(set => !sets.has(set))).toStrictEqual([]);
    }
    const [map] = dispatchOf(compiled, goal(compiled, 'wl-to', 'cali1'));
    expect(compiled.ruleset().elements.get(map ?? '')?.size).toBe(3);
  });
});

describe('an interface that two endpoints claim', () => {
  test('belongs to the same one whatever came first, and to the other when that goes', () => {
    const claim = (id: string, profiles: readonly string[]): DataplaneUpdate => {
      const update = endpoint('cali1', { profiles });
      if (update.kind !== 'endpoint-updated') throw new Error('not an endpoint');
      return { ...update, id: id as EndpointId };
    };
    const [a, b] = [claim('a', ['q']), claim('b', [])];
    const [one, other] = [compiler(), compiler()];
    one.accept([profile('q'), a, b]);
    other.accept([b, a, profile('q')]);
    expect(goal(one, 'wl-to', 'cali1')).toMatch(/^qt-/);
    expect(goal(other, 'wl-to', 'cali1')).toBe(goal(one, 'wl-to', 'cali1'));
    one.accept([{ kind: 'endpoint-removed', id: 'a' as EndpointId }]);
    expect(one.ruleset().elements.get('wl-to')?.get('cali1')).toStrictEqual({
      kind: 'goto',
      chain: 'drop-no-profile',
    });
  });
});

describe('hostile values', () => {
  const hostile = 'x" drop; } table inet evil { chain c { } } #\n\\ü';

  test('in names of policies and profiles stay inside their comments', () => {
    const compiled = compiler();
    compiled.accept([
      policy(hostile, [{ action: 'deny', match: {} }]),
      profile(hostile, [{ action: 'deny', match: {} }]),
      endpoint('cali1', { tiers: [{ ingress: [hostile] }], profiles: [hostile] }),
    ]);
    const lines = transaction(compiled).filter(line => line.includes('evil'));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines)
      expect(line).toMatch(/^add rule inet calico \S+ [^"]* comment "[^"\\\n]{1,128}"$/);
  });

  test('in an interface name keep the endpoint out of the table', () => {
    const compiled = compiler();
    compiled.accept([endpoint('cali"; drop'), endpoint('cali*'), endpoint('cali1 . 2'), endpoint('..')]);
    expect(compiled.ruleset().elements.size).toBe(0);
  });

  test('in a set’s member or a prefix are refused', () => {
    const compiled = compiler();
    const id = 's' as SetId;
    expect(() => {
      compiled.accept([{ kind: 'set-created', id, members: new Set(['10.0.0.1 }']) }]);
    }).toThrow('not an address');
    expect(() => transaction(compiler({ interfacePrefixes: ['cali"'] }))).toThrow(
      'not a safe interface prefix',
    );
  });
});

describe('names of objects', () => {
  test('are at most 31 characters, whatever the names they stand for', () => {
    const compiled = compiler();
    const long = 'n'.repeat(300);
    compiled.accept([
      { kind: 'set-created', id: long as SetId, members: new Set(['2001:db8::/127', '10.0.0.0/31']) },
      policy(long, [80, 81, 82].map(tcpTo)),
      profile(long),
      endpoint('cali1', { tiers: [{ ingress: [long], egress: [long] }], profiles: [long] }),
      endpoint('eth0', { kind: 'host', profiles: [long] }),
      {
        kind: 'pools-updated',
        pools: nets('10.0.0.0/8', 'fd00::/8').map(cidr => ({ cidr, natOutgoing: true })),
      },
    ]);
    const { sets, chains } = compiled.ruleset();
    const names = [...sets.keys(), ...chains.keys()];
    expect(names.filter(name => name.length > 31 || !/^[a-z][\w-]+$/.test(name))).toStrictEqual([]);
  });
});
