import { parseCidr, protocolNumbers } from '../../src/net/index.js';
import { emptyModel } from '../../src/policy/index.js';
import { parseSelector } from '../../src/selector/index.js';
import type { Cidr } from '../../src/net/index.js';
import type {
  Action,
  Endpoint,
  EndpointId,
  Model,
  Packet,
  Policy,
  PolicyId,
  Profile,
  ProfileId,
  Rule,
  RuleMatch,
} from '../../src/policy/index.js';
import type { Selector } from '../../src/selector/index.js';

/** Builders for tests: a test says what it is about, the rest is ordinary. */

/** The selector, or an error that names the text. */
export function selector(text: string): Selector {
  const parsed = parseSelector(text);
  if (!parsed.ok) throw new Error(`no selector: ${text}`);
  return parsed.selector;
}

export function nets(...texts: readonly string[]): readonly Cidr[] {
  return texts.map(text => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(`no network: ${text}`);
    return cidr;
  });
}

export function endpointId(name: string, node = 'here'): EndpointId {
  return `workload:${node}/test/${name}/eth0` as EndpointId; // the form that from-v1 gives it
}

type Names = readonly string[];

/** A workload on node `here`, without labels and profiles unless given. */
export function endpoint(
  name: string,
  given: Partial<Omit<Endpoint, 'id' | 'profiles'>> & { readonly profiles?: Names } = {},
): Endpoint {
  return {
    id: endpointId(name, given.node),
    kind: 'workload',
    node: 'here',
    labels: {},
    addresses: [],
    interfaceName: `cali${name}`,
    adminUp: true,
    ...given,
    profiles: (given.profiles ?? []).map(id => id as ProfileId),
  };
}

/** A policy for all endpoints and both directions, without rules unless given. */
export function policy(
  id: string,
  given: Partial<Omit<Policy, 'id' | 'selector'>> & { readonly selector?: string } = {},
): Policy {
  return {
    id: id as PolicyId,
    tier: 'default',
    types: ['ingress', 'egress'],
    ingress: [],
    egress: [],
    ...given,
    selector: selector(given.selector ?? 'all()'),
  };
}

/** A profile without rules, tags and labels unless given. */
export function profile(id: string, given: Partial<Omit<Profile, 'id'>> = {}): Profile {
  return { id: id as ProfileId, tags: [], labels: {}, ingress: [], egress: [], ...given };
}

export function rule(action: Action, match: RuleMatch = {}): Rule {
  return { action, match };
}

/** A model of these objects, everything else at its default. */
export function model(
  content: {
    readonly endpoints?: readonly Endpoint[];
    readonly policies?: readonly Policy[];
    readonly profiles?: readonly Profile[];
  } & Partial<Pick<Model, 'hosts' | 'settings'>> = {},
): Model {
  const { endpoints = [], policies = [], profiles = [], ...rest } = content;
  return {
    ...emptyModel,
    ...rest,
    endpoints: new Map(endpoints.map(each => [each.id, each])),
    policies: new Map(policies.map(each => [each.id, each])),
    profiles: new Map(profiles.map(each => [each.id, each])),
  };
}

/** A TCP packet to port 80 unless something else is given; its family follows from the source. */
export function packet(source: string, destination: string, given: Partial<Packet> = {}): Packet {
  const ports = { sourcePort: 40_000, destinationPort: 80 };
  return {
    ipVersion: source.includes(':') ? 6 : 4,
    protocol: protocolNumbers.tcp,
    source,
    destination,
    ...(given.protocol === undefined && ports),
    ...given,
  };
}
