import { MultiMap } from '../base/index.js';
import { LabelIndex } from './label-index.js';
import { decidesAt } from './order.js';
import type { Changes, LabelledEndpoint } from './effective-labels.js';
import type { Endpoint, EndpointId, Policy, PolicyId, Profile, ProfileId, Rule } from './model.js';

/** What stands in for a profile that an endpoint names and nobody has written: it denies, it does not vanish. */
export function missingProfile(id: ProfileId): Profile {
  const deny: readonly Rule[] = [{ action: 'deny', match: {} }];
  return { id, tags: [], labels: {}, ingress: deny, egress: deny };
}

export interface ActivePolicyChanges {
  /** policies that matter here, new or changed; undefined: no longer */
  readonly policies: Changes<PolicyId, Policy>;
  readonly profiles: Changes<ProfileId, Profile>;
  /** local endpoints whose data or policies may have changed; undefined: gone, or not local any more */
  readonly endpoints: Changes<EndpointId, Endpoint>;
}

export interface ActivePolicies {
  update(changes: {
    readonly endpoints: Changes<EndpointId, LabelledEndpoint>;
    readonly policies: Changes<PolicyId, Policy>;
    readonly profiles: Changes<ProfileId, Profile>;
  }): ActivePolicyChanges;
  /** The policies that match a local endpoint, in no order. */
  policiesOf(endpoint: EndpointId): readonly Policy[];
  /** True when the policy matches the local endpoint. */
  matches(policy: PolicyId, endpoint: EndpointId): boolean;
  /** True when just the same policies match both local endpoints; cheaper than to ask for either's. */
  matchedAlike(a: EndpointId, b: EndpointId): boolean;
}

/** Which policies and profiles matter on this node: those that a local endpoint matches or names. */
export function createActivePolicies(node: string): ActivePolicies {
  const local = new Map<EndpointId, Endpoint>();
  const policyById = new Map<PolicyId, Policy>();
  const profileById = new Map<ProfileId, Profile>();
  const index = new LabelIndex<EndpointId, PolicyId>();
  // Policies without the stage that workloads have are no business of theirs.
  const hostIndex = new LabelIndex<EndpointId, PolicyId>();
  const users = new MultiMap<ProfileId, EndpointId>();

  const setPolicy = (id: PolicyId, policy: Policy | undefined): void => {
    const inForce = policy === undefined || policy.types.length === 0 ? undefined : policy;
    if (inForce === undefined) policyById.delete(id);
    else policyById.set(id, inForce);
    const isForAll = inForce !== undefined && decidesAt(inForce, 'workload', 'normal');
    index.setQuery(id, isForAll ? inForce.selector : undefined);
    hostIndex.setQuery(id, isForAll ? undefined : inForce?.selector);
  };

  const setEndpoint = (id: EndpointId, labelled: LabelledEndpoint | undefined): void => {
    for (const profile of local.get(id)?.profiles ?? []) users.delete(profile, id);
    index.setItem(id, labelled?.labels);
    hostIndex.setItem(id, labelled?.endpoint.kind === 'host' ? labelled.labels : undefined);
    if (labelled === undefined) {
      local.delete(id);
      return;
    }
    local.set(id, labelled.endpoint);
    for (const profile of labelled.endpoint.profiles) users.add(profile, id);
  };

  const endpointsOf = (id: PolicyId): readonly EndpointId[] => [
    ...index.itemsOf(id),
    ...hostIndex.itemsOf(id),
  ];
  const countOf = (id: PolicyId): number => index.itemsOf(id).size + hostIndex.itemsOf(id).size;
  const matching = (id: EndpointId): readonly PolicyId[] => [
    ...index.queriesOf(id),
    ...hostIndex.queriesOf(id),
  ];
  const activePolicy = (id: PolicyId): Policy | undefined =>
    countOf(id) > 0 ? policyById.get(id) : undefined;
  const activeProfile = (id: ProfileId): Profile | undefined =>
    users.has(id) ? (profileById.get(id) ?? missingProfile(id)) : undefined;

  return {
    update({ endpoints, policies, profiles }) {
      const touched = {
        policies: new Set<PolicyId>(),
        profiles: new Set<ProfileId>(),
        endpoints: new Set<EndpointId>(),
      };
      for (const [id, profile] of profiles) {
        if (profile === undefined) profileById.delete(id);
        else profileById.set(id, profile);
        touched.profiles.add(id);
      }
      for (const [id, labelled] of endpoints) {
        const here = labelled?.endpoint.node === node ? labelled : undefined;
        if (here === undefined && !local.has(id)) continue;
        touched.endpoints.add(id);
        const former = { policies: matching(id), profiles: local.get(id)?.profiles ?? [] };
        setEndpoint(id, here);
        // What others match or name as well is as active as before.
        const [left, come] = [former.policies.filter(policy => countOf(policy) === 0), matching(id)];
        for (const policy of [...left, ...come.filter(each => countOf(each) === 1)])
          touched.policies.add(policy);
        for (const profile of [...former.profiles, ...(here?.endpoint.profiles ?? [])]) {
          if (users.get(profile).size <= 1) touched.profiles.add(profile);
        }
      }
      for (const [id, policy] of policies) {
        touched.policies.add(id);
        for (const endpoint of endpointsOf(id)) touched.endpoints.add(endpoint);
        setPolicy(id, policy);
        for (const endpoint of endpointsOf(id)) touched.endpoints.add(endpoint);
      }
      return {
        policies: new Map([...touched.policies].map(id => [id, activePolicy(id)])),
        profiles: new Map([...touched.profiles].map(id => [id, activeProfile(id)])),
        endpoints: new Map([...touched.endpoints].map(id => [id, local.get(id)])),
      };
    },

    policiesOf: endpoint =>
      matching(endpoint)
        .map(id => policyById.get(id))
        .filter(policy => policy !== undefined),

    matches: (policy, endpoint) =>
      index.queriesOf(endpoint).has(policy) || hostIndex.queriesOf(endpoint).has(policy),

    matchedAlike: (a, b) =>
      sameMembers(index.queriesOf(a), index.queriesOf(b)) &&
      sameMembers(hostIndex.queriesOf(a), hostIndex.queriesOf(b)),
  };
}

function sameMembers<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
