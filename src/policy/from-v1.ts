import { CalicoError } from '../base/index.js';
import { formatCidr, formatIp, parseCidr, parseIp, protocolNumbers } from '../net/index.js';
import type {
  Endpoint,
  EndpointId,
  FloatingAddress,
  IcmpMatch,
  ModelChange,
  NamedPort,
  Policy,
  PolicyId,
  Pool,
  Profile,
} from './model.js';
import type { ProfileId, Rule, RuleMatch, Stage } from './model.js';
import {
  given,
  inNets,
  inNoneOf,
  inNoPorts,
  inPorts,
  inside,
  readSelector,
  report,
} from './read-criteria.js';
import type { Place, Side } from './read-criteria.js';
import type { Issue } from '../base/index.js';
import type { ProtocolName } from '../net/index.js';
import type { EntitySpec, Kind, PortSpec, Resource, ResourceOf, RuleSpec } from '../resources/index.js';

/** What a resource means here, and what in it could not be taken as it stands. */
export interface Converted<T> {
  readonly value: T;
  /** a rule with an issue has become a deny, unless the issue says that it matches nothing */
  readonly issues: readonly Issue[];
}

/** A change, with what was wrong with the resource behind it. */
export type V1Change = ModelChange & { readonly issues: readonly Issue[] };

function readIcmp(icmp: NonNullable<RuleSpec['icmp']>, place: Place): IcmpMatch | undefined {
  const { type, code } = icmp;
  if (type === undefined) return report(place, code, 'an ICMP type, where there is a code');
  return code === undefined ? { type } : { type, code };
}

function protocolNumber(protocol: number | ProtocolName): number {
  return typeof protocol === 'number' ? protocol : protocolNumbers[protocol];
}

type EntityFields = {
  readonly [Field in keyof Required<EntitySpec>]: (
    value: NonNullable<EntitySpec[Field]>,
    side: Side,
    place: Place,
  ) => RuleMatch;
};

/** What each field of `source` and `destination` means. A new field of the resource must be added here. */
const entityFields: EntityFields = {
  tag: (tag, side) => (side === 'source' ? { sourceTag: tag } : { destinationTag: tag }),
  notTag: (tag, side) => (side === 'source' ? { notSourceTag: tag } : { notDestinationTag: tag }),
  net: (text, side, place) => inNets([text], side, place),
  nets: (texts, side, place) => inNets(texts, side, place),
  notNet: (text, side, place) => inNoneOf([text], side, place),
  notNets: (texts, side, place) => inNoneOf(texts, side, place),
  // Inside a rule an empty selector is no selector; it does not mean all().
  selector: (text, side, place) =>
    given(text === '' ? undefined : readSelector(text, place), selector =>
      side === 'source' ? { sourceSelector: selector } : { destinationSelector: selector },
    ),
  notSelector: (text, side, place) =>
    given(text === '' ? undefined : readSelector(text, place), selector =>
      side === 'source' ? { notSourceSelector: selector } : { notDestinationSelector: selector },
    ),
  ports: inPorts,
  notPorts: inNoPorts,
};

function entityField<Field extends keyof EntitySpec>(
  field: Field,
  value: EntitySpec[Field] | undefined,
  at: { readonly side: Side; readonly place: Place },
): RuleMatch {
  if (value === undefined || value === null) return {};
  return entityFields[field](value, at.side, inside(at.place, field));
}

const entityFieldNames = Object.keys(entityFields) as readonly (keyof EntitySpec)[]; // a literal of that very type

function entityMatch(entity: EntitySpec, side: Side, place: Place): RuleMatch {
  const parts = entityFieldNames.map(field => entityField(field, entity[field], { side, place }));
  return Object.assign({}, ...parts) as RuleMatch; // each part is one
}

type RuleFields = {
  readonly [Field in keyof Required<RuleSpec>]: (
    value: NonNullable<RuleSpec[Field]>,
    place: Place,
  ) => RuleMatch;
};

/** What each field of a rule means. A new field of the resource must be added here. */
const ruleFields: RuleFields = {
  action: () => ({}),
  ipVersion: (version, place) =>
    version === 4 || version === 6
      ? { ipVersion: version }
      : given(report(place, version, '4 or 6'), () => ({})),
  protocol: protocol => ({ protocol: protocolNumber(protocol) }),
  notProtocol: protocol => ({ notProtocol: protocolNumber(protocol) }),
  icmp: (icmp, place) => given(readIcmp(icmp, place), match => ({ icmp: match })),
  notICMP: (icmp, place) => given(readIcmp(icmp, place), match => ({ notIcmp: match })),
  source: (entity, place) => entityMatch(entity, 'source', place),
  destination: (entity, place) => entityMatch(entity, 'destination', place),
};

function ruleField<Field extends keyof RuleSpec>(
  field: Field,
  value: RuleSpec[Field] | undefined,
  place: Place,
): RuleMatch {
  return value === undefined || value === null ? {} : ruleFields[field](value, inside(place, field));
}

const ruleFieldNames = Object.keys(ruleFields) as readonly (keyof RuleSpec)[]; // a literal of that very type

const { tcp, udp, sctp, udplite, icmp, icmpv6 } = protocolNumbers;
const PROTOCOLS_WITH_PORTS: readonly (number | undefined)[] = [tcp, udp, sctp, udplite];
const ICMP_PROTOCOLS: readonly (number | undefined)[] = [undefined, icmp, icmpv6];

function hasPorts(match: RuleMatch): boolean {
  return Object.keys(match).some(field => /Port(s|Names)$/.test(field));
}

/** A rule that cannot be taken denies everything: closed, and said (policy-enforcement 4). */
function ruleFromV1(spec: RuleSpec, place: Place): Rule {
  const issues: Issue[] = [];
  const at = { ...place, issues };
  const parts = ruleFieldNames.map(field => ruleField(field, spec[field], at));
  const match = Object.assign({}, ...parts) as RuleMatch; // each part is one
  if (hasPorts(match) && !PROTOCOLS_WITH_PORTS.includes(match.protocol)) {
    report(inside(at, 'protocol'), spec.protocol ?? '', 'a protocol with ports, where there are ports');
  }
  place.issues.push(...issues);
  if (issues.length > 0) return { action: 'deny', match: {} };
  if ((match.icmp ?? match.notIcmp) !== undefined && !ICMP_PROTOCOLS.includes(match.protocol)) {
    report(
      inside(place, 'protocol'),
      spec.protocol,
      'icmp or icmpv6, where there is an ICMP type: it matches nothing',
    );
  }
  return { action: spec.action, match };
}

function rulesFromV1(
  spec: { readonly ingress?: readonly RuleSpec[]; readonly egress?: readonly RuleSpec[] },
  issues: Issue[],
): { readonly ingress: readonly Rule[]; readonly egress: readonly Rule[] } {
  const read = (direction: 'ingress' | 'egress') =>
    (spec[direction] ?? []).map((rule, index) =>
      ruleFromV1(rule, { path: `spec.${direction}[${String(index)}]`, issues }),
    );
  return { ingress: read('ingress'), egress: read('egress') };
}

type PolicySpec = ResourceOf<'policy'>['spec'];

/** Where a policy decides; undefined: at the one stage that every v1 policy has. */
function stagesFromV1({ doNotTrack, preDNAT, applyOnForward }: PolicySpec): readonly Stage[] | undefined {
  if (doNotTrack === true) return ['untracked'];
  if (preDNAT === true) return ['pre-dnat'];
  return applyOnForward === true ? ['normal', 'forward'] : undefined;
}

/** Without `types` a v1 policy decides both directions, also one for which it has no rule. */
export function policyFromV1({ metadata, spec }: ResourceOf<'policy'>): Converted<Policy> {
  const issues: Issue[] = [];
  const selector = readSelector(spec.selector, { path: 'spec.selector', issues });
  if (selector === undefined) {
    // Taking no endpoint, or every one, would both be wrong: what was in force before stays.
    throw new CalicoError('corrupt', `cannot tell which endpoints policy '${metadata.name}' is for`, {
      issues,
    });
  }
  const stages = stagesFromV1(spec);
  const value: Policy = {
    id: metadata.name as PolicyId,
    tier: 'default',
    ...(spec.order !== undefined && { order: spec.order }),
    selector,
    types: spec.types ?? (spec.preDNAT === true ? ['ingress'] : ['ingress', 'egress']),
    ...(stages !== undefined && { stages }),
    ...rulesFromV1(spec, issues),
  };
  return { value, issues };
}

/** A profile with its tags, labels and rules. */
export function profileFromV1({ metadata, spec }: ResourceOf<'profile'>): Converted<Profile> {
  const issues: Issue[] = [];
  const value: Profile = {
    id: metadata.name as ProfileId,
    tags: metadata.tags ?? [],
    labels: metadata.labels ?? {},
    ...rulesFromV1(spec, issues),
  };
  return { value, issues };
}

/** A pool, whether or not it still gives out addresses: NAT does not ask. */
export function poolFromV1({ metadata, spec }: ResourceOf<'ipPool'>): Converted<Pool> {
  const cidr = parseCidr(metadata.cidr);
  if (cidr === undefined) throw new CalicoError('corrupt', `IP pool '${metadata.cidr}' is not a network`);
  return { value: { cidr, natOutgoing: spec['nat-outgoing'] ?? false }, issues: [] };
}

/** The single addresses among networks; anything wider is reported and left out. */
function addressesFromV1(networks: readonly string[], issues: Issue[]): readonly string[] {
  return networks.flatMap((text, index) => {
    const cidr = parseCidr(text);
    if (cidr !== undefined && cidr.length === (cidr.version === 4 ? 32 : 128)) return [formatIp(cidr)];
    issues.push({
      path: `spec.ipNetworks[${String(index)}]`,
      value: text,
      expected: 'a single address: length /32 or /128',
    });
    return [];
  });
}

type NatSpec = NonNullable<ResourceOf<'workloadEndpoint'>['spec']['ipNATs']>[number];

/** Those that lead to an address which the endpoint has; others are reported and left out. */
function floatingFromV1(
  nats: readonly NatSpec[],
  own: readonly string[],
  issues: Issue[],
): readonly FloatingAddress[] {
  return nats.flatMap(({ internalIP, externalIP }, index) => {
    const [internal, external] = [parseIp(internalIP), parseIp(externalIP)];
    const isOfOne = internal !== undefined && internal.version === external?.version;
    if (isOfOne && own.includes(formatIp(internal))) {
      return [{ external: formatIp(external), internal: formatIp(internal) }];
    }
    issues.push({
      path: `spec.ipNATs[${String(index)}]`,
      value: `${internalIP}<>${externalIP}`,
      expected: 'an address of the endpoint, and one outside of the same IP version',
    });
    return [];
  });
}

function namedPort({ name, protocol, port }: PortSpec): NamedPort {
  return { name, protocol: protocolNumber(protocol), port };
}

/** The interface of a workload or a host, under an id made of its identifiers. */
export function endpointFromV1(
  resource: ResourceOf<'workloadEndpoint' | 'hostEndpoint'>,
): Converted<Endpoint> {
  const issues: Issue[] = [];
  const { metadata, spec } = resource;
  const common = {
    node: metadata.node,
    labels: metadata.labels ?? {},
    profiles: (spec.profiles ?? []) as readonly ProfileId[], // names of profiles are their ids
    adminUp: true,
    ...(spec.ports !== undefined && { ports: spec.ports.map(namedPort) }),
    ...(spec.interfaceName !== undefined && { interfaceName: spec.interfaceName }),
  };
  if (resource.kind === 'hostEndpoint') {
    const id = hostId(metadata.node, metadata.name);
    return { value: { id, kind: 'host', ...common, addresses: resource.spec.expectedIPs ?? [] }, issues };
  }
  const { mac, ipv6Gateway, ipNetworks = [], ipNATs = [] } = resource.spec;
  const gateway = ipv6Gateway === undefined ? undefined : parseIp(ipv6Gateway);
  const addresses = addressesFromV1(ipNetworks, issues);
  const value: Endpoint = {
    id: workloadId(resource.metadata),
    kind: 'workload',
    ...common,
    addresses,
    ...(mac !== undefined && { mac }),
    ...(gateway?.version === 6 && { ipv6Gateway: formatIp(gateway) }),
    ...(ipNATs.length > 0 && { floating: floatingFromV1(ipNATs, addresses, issues) }),
  };
  return { value, issues };
}

interface WorkloadIdentity {
  readonly node: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly name: string;
}

/** `workload:<node>/<orchestrator>/<workload>/<name>`; no part may hold a `/`. */
export function workloadId({ node, orchestrator, workload, name }: WorkloadIdentity): EndpointId {
  return `workload:${[node, orchestrator, workload, name].join('/')}` as EndpointId;
}

/** `host:<node>/<name>` */
export function hostId(node: string, name: string): EndpointId {
  return `host:${node}/${name}` as EndpointId;
}

type Gone = (id: string) => ModelChange | undefined;

/** The identifiers in a resource's id, as `identify` writes them. */
function identifiers(id: string, pattern: RegExp): readonly string[] | undefined {
  return pattern.exec(id)?.slice(1);
}

const gone: { readonly [K in Kind]: Gone } = {
  workloadEndpoint: id => {
    const found = identifiers(
      id,
      /^WorkloadEndpoint\(node=(.*), orchestrator=(.*), workload=(.*), name=(.*)\)$/s,
    );
    if (found === undefined) return undefined;
    const [node = '', orchestrator = '', workload = '', name = ''] = found;
    return { kind: 'endpoint', id: workloadId({ node, orchestrator, workload, name }), endpoint: undefined };
  },
  hostEndpoint: id => {
    const found = identifiers(id, /^HostEndpoint\(node=(.*), name=(.*)\)$/s);
    return found && { kind: 'endpoint', id: hostId(found[0] ?? '', found[1] ?? ''), endpoint: undefined };
  },
  policy: id => {
    const [name] = identifiers(id, /^Policy\(name=(.*)\)$/s) ?? [];
    return name === undefined ? undefined : { kind: 'policy', id: name as PolicyId, policy: undefined };
  },
  profile: id => {
    const [name] = identifiers(id, /^Profile\(name=(.*)\)$/s) ?? [];
    return name === undefined ? undefined : { kind: 'profile', id: name as ProfileId, profile: undefined };
  },
  ipPool: id => {
    const [cidr] = identifiers(id, /^IPPool\(cidr=(.*)\)$/s) ?? [];
    return cidr === undefined ? undefined : { kind: 'pool', id: cidr, pool: undefined };
  },
  bgpPeer: () => undefined,
  node: () => undefined,
};

function present(resource: Resource): V1Change | undefined {
  switch (resource.kind) {
    case 'workloadEndpoint':
    case 'hostEndpoint': {
      const { value, issues } = endpointFromV1(resource);
      return { kind: 'endpoint', id: value.id, endpoint: value, issues };
    }
    case 'policy': {
      const { value, issues } = policyFromV1(resource);
      return { kind: 'policy', id: value.id, policy: value, issues };
    }
    case 'profile': {
      const { value, issues } = profileFromV1(resource);
      return { kind: 'profile', id: value.id, profile: value, issues };
    }
    case 'ipPool': {
      const { value, issues } = poolFromV1(resource);
      return { kind: 'pool', id: formatCidr(value.cidr), pool: value, issues };
    }
    case 'bgpPeer':
    case 'node':
      break; // routing, not policy
  }
  return undefined;
}

/**
 * What the change of a v1 resource means for policy; undefined when nothing. `id` is the resource's identity as
 * `identify` writes it; a resource that is undefined has been removed.
 */
export function modelChangeFromV1(
  kind: Kind,
  id: string,
  resource: Resource | undefined,
): V1Change | undefined {
  if (resource !== undefined) return present(resource);
  const change = gone[kind](id);
  return change && { ...change, issues: [] };
}
