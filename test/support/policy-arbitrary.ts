import * as fc from 'fast-check';
import { parseCidr, parseIp, protocolNumbers } from '../../src/net/index.js';
import { emptyModel } from '../../src/policy/index.js';
import type { Cidr, PortRange } from '../../src/net/index.js';
import type {
  Action,
  Direction,
  Endpoint,
  EndpointId,
  Labels,
  Model,
  ModelChange,
  NamedPort,
  Packet,
  Policy,
  PolicyId,
  Pool,
  Profile,
  ProfileId,
  Rule,
  RuleMatch,
  Stage,
} from '../../src/policy/index.js';
import type { Selector } from '../../src/selector/index.js';

/**
 * Random models and packets for the tests of the graph, the evaluator and the kernel. Everything is drawn from
 * small pools, so that rules and packets meet often.
 */

/** An endpoint that a test can offer: its labels and profiles are drawn, the rest is given. */
export interface EndpointSlot {
  readonly id: EndpointId;
  readonly node: string;
  readonly interfaceName: string;
  readonly addresses: readonly string[];
}

export type HostSlot = Pick<Endpoint, 'id' | 'node' | 'interfaceName' | 'addresses'>;

/** Who can send and receive in the worlds that are drawn. */
export interface Cast {
  readonly slots: readonly EndpointSlot[];
  /** host endpoints, each found by its interface or by its addresses */
  readonly hostSlots: readonly HostSlot[];
  /** addresses that belong to no endpoint */
  readonly outside: readonly string[];
}

function slot(node: string, index: number): EndpointSlot {
  const name = `w${String(index)}`;
  return {
    id: `workload:${node}/test/${name}/eth0` as EndpointId, // the form that from-v1 gives it
    node,
    interfaceName: `cali${name}`,
    addresses: [`10.65.0.${String(index)}`, `fd80:65::${index.toString(16)}`],
  };
}

/** Four workloads and three host endpoints on node `here`, two workloads on `there`, two strangers in each family. */
export const defaultCast: Cast = {
  slots: [1, 2, 3, 4].map(index => slot('here', index)).concat([5, 6].map(index => slot('there', index))),
  hostSlots: [
    {
      id: 'host:here/by-name' as EndpointId,
      node: 'here',
      interfaceName: 'eth0',
      addresses: ['10.65.255.1'],
    },
    { id: 'host:here/by-address' as EndpointId, node: 'here', addresses: ['fd80:65:ff::1'] },
    // In force only where `by-name` is not there: it comes later.
    { id: 'host:here/second' as EndpointId, node: 'here', interfaceName: 'eth0', addresses: [] },
  ],
  outside: ['192.0.2.1', '198.51.100.7', '2001:db8::1', '2001:db8:7::7'],
};

const labelValues: Readonly<Record<string, readonly string[]>> = {
  role: ['web', 'db', 'cache'],
  env: ['prod', 'test', ''],
  team: ['red', 'blue'],
};
const labelNames = Object.keys(labelValues);
const tags = ['public', 'role', 'backup'];
const profileIds = ['p-open', 'p-closed', 'p-ops'].map(id => id as ProfileId);
/** Named by endpoints now and then, never defined. */
const missingProfileId = 'p-missing' as ProfileId;
const policyIds = ['a', 'b', 'c', 'd', 'e', 'f'].map(id => id as PolicyId);
const destinationPorts = [22, 80, 443, 5432, 8080];
const portNames = ['http', 'dns', 'db', 'client'];
const sourcePorts = [1024, 20_000, 40_000];

function arbitraryLabel(): fc.Arbitrary<readonly [string, string]> {
  return fc
    .constantFrom(...labelNames)
    .chain(name => fc.constantFrom(...(labelValues[name] ?? [''])).map(value => [name, value] as const));
}

function arbitraryLabels(maxLength: number): fc.Arbitrary<Labels> {
  return fc
    .uniqueArray(arbitraryLabel(), { maxLength, selector: ([name]) => name })
    .map(entries => Object.fromEntries(entries));
}

/** A selector over the labels of the pool, nested up to `depth`. */
export function arbitrarySelector(depth = 2): fc.Arbitrary<Selector> {
  const label = fc.constantFrom(...labelNames, 'public', 'absent');
  const comparison = fc
    .tuple(fc.constantFrom('equals' as const, 'not-equals' as const), arbitraryLabel())
    .map(([kind, [name, value]]): Selector => ({ kind, label: name, value }));
  const membership = fc
    .tuple(fc.constantFrom('in' as const, 'not-in' as const), fc.constantFrom(...labelNames))
    .chain(([kind, name]) =>
      fc
        .subarray([...(labelValues[name] ?? [])])
        .map((values): Selector => ({ kind, label: name, values: values.sort() })),
    );
  const leaf = fc.oneof(
    { weight: 4, arbitrary: comparison },
    { weight: 2, arbitrary: membership },
    { weight: 2, arbitrary: label.map((name): Selector => ({ kind: 'has', label: name })) },
    { weight: 1, arbitrary: fc.constant<Selector>({ kind: 'all' }) },
  );
  if (depth === 0) return leaf;
  const inner = arbitrarySelector(depth - 1);
  return fc.oneof(
    { weight: 5, arbitrary: leaf },
    { weight: 1, arbitrary: inner.map((operand): Selector => ({ kind: 'not', operand })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom('and' as const, 'or' as const),
          fc.array(inner, { minLength: 2, maxLength: 3 }),
        )
        .map(([kind, operands]): Selector => ({ kind, operands })),
    },
  );
}

/** Networks that hold some of the cast: single addresses, halves of a range, everything. */
function netsOf({ slots, outside }: Cast): readonly Cidr[] {
  const addresses = [...slots.flatMap(each => each.addresses), ...outside];
  const lengths = { 4: [32, 31, 30, 24, 8], 6: [128, 127, 126, 64, 16] };
  const near = addresses.flatMap(address => {
    const ip = parseIp(address);
    return ip === undefined
      ? []
      : lengths[ip.version].map(length => parseCidr(`${address}/${String(length)}`));
  });
  return [...near, parseCidr('0.0.0.0/0'), parseCidr('::/0')].filter(net => net !== undefined);
}

function arbitraryPorts(pool: readonly number[]): fc.Arbitrary<readonly PortRange[]> {
  const single = fc.constantFrom(...pool).map(port => ({ min: port, max: port }));
  const range = fc
    .tuple(fc.constantFrom(...pool), fc.constantFrom(...pool))
    .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
  return fc.array(fc.oneof(single, range), { minLength: 1, maxLength: 3 });
}

type Arbitraries = {
  readonly [Field in keyof Required<RuleMatch>]: fc.Arbitrary<NonNullable<RuleMatch[Field]>>;
};

/** How each field of a rule is drawn. A new field does not compile until it is here. */
function fieldArbitraries(cast: Cast): Arbitraries {
  const { icmp, icmpv6, tcp, udp } = protocolNumbers;
  const protocol = fc.constantFrom<number>(tcp, tcp, udp, udp, icmp, icmpv6);
  const icmpMatch = fc.oneof(
    fc.constantFrom(8, 128, 3).map(type => ({ type })),
    fc.tuple(fc.constantFrom(8, 128), fc.constantFrom(0, 1)).map(([type, code]) => ({ type, code })),
  );
  const nets = fc.array(fc.constantFrom(...netsOf(cast)), { minLength: 1, maxLength: 3 });
  const selector = arbitrarySelector(1);
  const tag = fc.constantFrom(...tags);
  const portNameList = fc.uniqueArray(fc.constantFrom(...portNames), { minLength: 1, maxLength: 2 });
  return {
    ipVersion: fc.constantFrom(4, 6),
    protocol,
    notProtocol: protocol,
    icmp: icmpMatch,
    notIcmp: icmpMatch,
    sourceNets: nets,
    notSourceNets: nets,
    sourceSelector: selector,
    notSourceSelector: selector,
    sourceTag: tag,
    notSourceTag: tag,
    sourcePorts: arbitraryPorts(sourcePorts),
    notSourcePorts: arbitraryPorts(sourcePorts),
    sourcePortNames: portNameList,
    notSourcePortNames: portNameList,
    destinationNets: nets,
    notDestinationNets: nets,
    destinationSelector: selector,
    notDestinationSelector: selector,
    destinationTag: tag,
    notDestinationTag: tag,
    destinationPorts: arbitraryPorts(destinationPorts),
    notDestinationPorts: arbitraryPorts(destinationPorts),
    destinationPortNames: portNameList,
    notDestinationPortNames: portNameList,
  };
}

const portFields: readonly string[] = [
  'sourcePorts',
  'notSourcePorts',
  'destinationPorts',
  'notDestinationPorts',
  'sourcePortNames',
  'notSourcePortNames',
  'destinationPortNames',
  'notDestinationPortNames',
] satisfies readonly (keyof RuleMatch)[];

/** None to three criteria at once; more would hardly ever match. Ports come with a protocol that has them. */
function arbitraryMatch(cast: Cast): fc.Arbitrary<RuleMatch> {
  const table: Readonly<Record<string, fc.Arbitrary<unknown>>> = fieldArbitraries(cast);
  const withPorts = fc.constantFrom<number>(protocolNumbers.tcp, protocolNumbers.udp);
  const names = Object.keys(table);
  const ofLength = (length: number) => fc.subarray(names, { minLength: length, maxLength: length });
  const some = fc.oneof(
    ...[0, 1, 1, 1, 2, 2, 3].map(ofLength),
    // Alternatives only where both are there.
    fc.constantFrom(['sourcePorts', 'sourcePortNames'], ['destinationPorts', 'destinationPortNames']),
  );
  return some.chain(fields => {
    const chosen = fields.map(field => [field, table[field] ?? fc.constant(undefined)] as const);
    const drawn = fc.record({
      ...Object.fromEntries(chosen),
      ...(fields.some(field => portFields.includes(field)) && { protocol: withPorts }),
    });
    return drawn;
  });
}

function arbitraryRule(cast: Cast): fc.Arbitrary<Rule> {
  // A connection needs two yeses and one no ends it: with fewer of them hardly any would pass.
  const allows = Array.from({ length: 8 }, () => 'allow' as const);
  const action = fc.constantFrom<Action>(...allows, 'deny', 'deny', 'pass', 'log');
  return fc.record({ action, match: arbitraryMatch(cast) });
}

/** Many neighbours that differ in one selector alone: the compiler makes one rule of them. */
export function arbitraryPeers(rule: fc.Arbitrary<Rule>): fc.Arbitrary<readonly Rule[]> {
  const field = fc.constantFrom('sourceSelector', 'destinationSelector');
  const selectors = fc.array(arbitrarySelector(1), { minLength: 8, maxLength: 12 });
  return fc
    .tuple(rule, field, selectors)
    .map(([{ action, match }, side, each]) =>
      each.map(selector => ({ action, match: { ...match, [side]: selector } })),
    );
}

function arbitraryRules(cast: Cast): fc.Arbitrary<readonly Rule[]> {
  return fc.array(arbitraryRule(cast), { maxLength: 5 });
}

/** A policy with one of the ids of the pool; mostly for both directions, as in v1. */
export function arbitraryPolicy(cast: Cast, id: PolicyId): fc.Arbitrary<Policy> {
  const both: readonly Direction[] = ['ingress', 'egress'];
  const stages = fc.constantFrom<readonly Stage[] | undefined>(
    ...Array.from({ length: 5 }, () => undefined),
    ['normal', 'forward'],
    ['normal', 'forward'],
    ['untracked'],
    ['pre-dnat'],
  );
  return fc
    .record({
      stages,
      order: fc.constantFrom(undefined, undefined, -1, 0, 1, 1.5, 100),
      selector: arbitrarySelector(),
      types: fc.constantFrom<readonly Direction[]>(both, both, both, ['ingress'], ['egress']),
      ingress: arbitraryRules(cast),
      egress: arbitraryRules(cast),
    })
    .map(({ order, stages: at, types, ...rest }) => ({
      id,
      tier: 'default',
      ...(order !== undefined && { order }),
      ...(at !== undefined && { stages: at }),
      types: at?.includes('pre-dnat') === true ? ['ingress'] : types,
      ...rest,
    }));
}

export function arbitraryProfile(cast: Cast, id: ProfileId): fc.Arbitrary<Profile> {
  return fc.record({
    id: fc.constant(id),
    tags: fc.subarray(tags),
    labels: arbitraryLabels(2),
    ingress: arbitraryRules(cast),
    egress: arbitraryRules(cast),
  });
}

function arbitraryNamedPort(): fc.Arbitrary<NamedPort> {
  return fc.record({
    name: fc.constantFrom(...portNames),
    protocol: fc.constantFrom<number>(protocolNumbers.tcp, protocolNumbers.udp),
    port: fc.constantFrom(...destinationPorts, ...sourcePorts),
  });
}

/** One of the cast, with labels and profiles of its own. */
export function arbitraryEndpoint(of: EndpointSlot): fc.Arbitrary<Endpoint> {
  const known = fc.oneof(
    { weight: 5, arbitrary: fc.shuffledSubarray(profileIds, { minLength: 1 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  );
  const profiles = fc.oneof(
    { weight: 19, arbitrary: known },
    { weight: 1, arbitrary: known.map(ids => [...ids, missingProfileId]) },
  );
  const ports = fc.option(fc.array(arbitraryNamedPort(), { minLength: 1, maxLength: 3 }), { nil: undefined });
  return fc.record({ labels: arbitraryLabels(3), profiles, ports }).map(({ ports: named, ...drawn }) => ({
    ...of,
    kind: 'workload',
    adminUp: true,
    ...drawn,
    ...(named !== undefined && { ports: named }),
  }));
}

/** A host endpoint with labels and profiles of its own. */
function arbitraryHostEndpoint(of: HostSlot): fc.Arbitrary<Endpoint> {
  return arbitraryEndpoint({ interfaceName: '', ...of }).map(drawn => {
    const { interfaceName: _, ...rest } = drawn;
    return { ...rest, ...of, kind: 'host' };
  });
}

/** A whole world: every endpoint of the cast, some of the policies, all profiles but the missing one. */
export function arbitraryModel(cast: Cast = defaultCast): fc.Arbitrary<Model> {
  const some = <Id extends string, T>(ids: readonly Id[], draw: (id: Id) => fc.Arbitrary<T>, minLength = 0) =>
    fc
      .subarray([...ids], { minLength })
      .chain(chosen => fc.tuple(...chosen.map(id => draw(id).map((value): [Id, T] => [id, value]))))
      .map(entries => new Map(entries));
  return fc
    .record({
      endpoints: fc
        .tuple(
          fc.tuple(...cast.slots.map(arbitraryEndpoint)),
          fc.tuple(...cast.hostSlots.map(arbitraryHostEndpoint)).chain(hosts => fc.subarray(hosts)),
        )
        .map(endpoints => new Map(endpoints.flat().map(endpoint => [endpoint.id, endpoint]))),
      policies: some(policyIds, id => arbitraryPolicy(cast, id)),
      profiles: some(profileIds, id => arbitraryProfile(cast, id), profileIds.length),
    })
    .map(drawn => ({ ...emptyModel, ...drawn }));
}

/** The first packet of a connection between two of the cast, at least one of them an endpoint. */
export function arbitraryPacket(cast: Cast = defaultCast): fc.Arbitrary<Packet> {
  const ours = cast.slots.flatMap(each => each.addresses);
  const all = [...ours, ...cast.outside];
  return fc
    .tuple(fc.constantFrom(...ours), fc.constantFrom(...all), fc.boolean())
    .filter(([one, other]) => one !== other && one.includes(':') === other.includes(':'))
    .chain(([one, other, outward]) => {
      const ends = outward ? { source: one, destination: other } : { source: other, destination: one };
      return arbitraryPayload(one.includes(':') ? 6 : 4).map(payload => ({ ...ends, ...payload }));
    });
}

function arbitraryPayload(ipVersion: 4 | 6): fc.Arbitrary<Omit<Packet, 'source' | 'destination'>> {
  const withPorts = fc.record({
    ipVersion: fc.constant(ipVersion),
    protocol: fc.constantFrom<number>(protocolNumbers.tcp, protocolNumbers.udp),
    sourcePort: fc.constantFrom(...sourcePorts),
    destinationPort: fc.constantFrom(...destinationPorts),
  });
  const echo = fc.constant({
    ipVersion,
    protocol: ipVersion === 4 ? protocolNumbers.icmp : protocolNumbers.icmpv6,
    icmpType: ipVersion === 4 ? 8 : 128,
    icmpCode: 0,
  });
  return fc.oneof({ weight: 4, arbitrary: withPorts }, { weight: 1, arbitrary: echo });
}

/** One change out of a small space of objects: later ones often hit the same object again, or remove it. */
export function arbitraryChange(cast: Cast = defaultCast): fc.Arbitrary<ModelChange> {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
  const endpoint = fc.constantFrom(...cast.slots).chain(each => {
    // It may move to another node, lose its addresses, or take those of another endpoint.
    const moved = fc.record({
      node: fc.constantFrom('here', 'there'),
      addresses: fc.constantFrom([], each.addresses, each.addresses, cast.slots[0]?.addresses ?? []),
      adminUp: fc.boolean(),
    });
    const drawn = fc.tuple(arbitraryEndpoint(each), moved).map(([base, change]) => ({ ...base, ...change }));
    return maybe(drawn).map((value): ModelChange => ({ kind: 'endpoint', id: each.id, endpoint: value }));
  });
  const host = fc.constantFrom(...cast.hostSlots).chain(each =>
    maybe(arbitraryHostEndpoint(each)).map((value): ModelChange => ({
      kind: 'endpoint',
      id: each.id,
      endpoint: value,
    })),
  );
  const withPeers = (id: PolicyId) =>
    fc
      .tuple(arbitraryPolicy(cast, id), arbitraryPeers(arbitraryRule(cast)))
      .map(([drawn, peers]) => ({ ...drawn, ingress: [...drawn.ingress, ...peers] }));
  const policy = fc
    .constantFrom(...policyIds)
    .chain(id =>
      maybe(
        fc.oneof(
          { weight: 3, arbitrary: arbitraryPolicy(cast, id) },
          { weight: 1, arbitrary: withPeers(id) },
        ),
      ).map((value): ModelChange => ({ kind: 'policy', id, policy: value })),
    );
  const profile = fc.constantFrom(...profileIds).chain(id =>
    maybe(arbitraryProfile(cast, id)).map((value): ModelChange => ({
      kind: 'profile',
      id,
      profile: value,
    })),
  );
  const pool = fc.constantFrom('10.65.0.0/16', 'fd80:65::/64').chain(id =>
    maybe(fc.boolean()).map((natOutgoing): ModelChange => {
      const cidr = parseCidr(id);
      const value: Pool | undefined =
        cidr === undefined || natOutgoing === undefined ? undefined : { cidr, natOutgoing };
      return { kind: 'pool', id, pool: value };
    }),
  );
  return fc.oneof(
    { weight: 4, arbitrary: endpoint },
    { weight: 1, arbitrary: host },
    { weight: 4, arbitrary: policy },
    { weight: 2, arbitrary: profile },
    { weight: 1, arbitrary: pool },
  );
}

/** Batches of changes in which objects come, change and go. */
export function arbitraryBatches(
  cast: Cast = defaultCast,
): fc.Arbitrary<readonly (readonly ModelChange[])[]> {
  return fc.array(fc.array(arbitraryChange(cast), { maxLength: 6 }), { maxLength: 10 });
}
