import type { ActivePolicies } from './active-policies.js';
import type { EndpointTier } from './desired.js';
import type { Changes, LabelledEndpoint } from './effective-labels.js';
import type { Endpoint, EndpointId, Policy, PolicyId } from './model.js';
import { tiersAt } from './order.js';

type Tiers = readonly EndpointTier[];

/** What a batch changed, from which endpoints have other tiers. */
interface Causes {
  readonly policies: Changes<PolicyId, Policy>;
  readonly endpoints: Changes<EndpointId, LabelledEndpoint>;
}

/** With more changed policies it is cheaper to compare all that match. */
const mostChanged = 16;

/**
 * The tiers of the workloads of this host. Many match the same policies, and get the same object: whoever compares
 * or compiles them sees that. Answers for those that a batch touched; hosts are not in the answer.
 */
export function createWorkloadTiers(
  active: Pick<ActivePolicies, 'matches' | 'matchedAlike' | 'policiesOf'>,
): (changed: Changes<EndpointId, Endpoint>, causes: Causes) => ReadonlyMap<EndpointId, Tiers> {
  const before = new Map<EndpointId, Tiers>();

  /** True when both had the same tiers, and the batch did the same to both; false says nothing. */
  const changedAlike = (a: EndpointId, b: EndpointId, { policies, endpoints }: Causes): boolean =>
    policies.size <= mostChanged &&
    before.has(a) &&
    before.get(a) === before.get(b) &&
    !endpoints.has(a) &&
    !endpoints.has(b) &&
    [...policies.keys()].every(id => active.matches(id, a) === active.matches(id, b));

  return (changed, causes) => {
    const known = new Map<string, Tiers>();
    const now = new Map<EndpointId, Tiers>();
    let last: { readonly id: EndpointId; readonly tiers: Tiers } | undefined;
    const tiersOf = (id: EndpointId): Tiers => {
      if (last !== undefined && (changedAlike(last.id, id, causes) || active.matchedAlike(last.id, id)))
        return last.tiers;
      const policies = active.policiesOf(id);
      const key = JSON.stringify(policies.map(policy => policy.id));
      const tiers = known.get(key) ?? tiersAt('normal', 'workload', policies);
      known.set(key, tiers);
      return tiers;
    };
    for (const [id, endpoint] of changed) {
      if (endpoint?.kind !== 'workload') continue;
      const tiers = tiersOf(id);
      last = { id, tiers };
      now.set(id, tiers);
    }
    for (const id of changed.keys()) {
      const tiers = now.get(id);
      if (tiers === undefined) before.delete(id);
      else before.set(id, tiers);
    }
    return now;
  };
}
