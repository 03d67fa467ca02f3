import { formatCidr } from '../net/index.js';
import { createActivePolicies } from './active-policies.js';
import { createEffectiveLabels } from './effective-labels.js';
import { createIpSets } from './ip-sets.js';
import { compareText, tiersAt } from './order.js';
import { createRuleSelectors } from './rule-selectors.js';
import { sequence } from './sequence.js';
import { Sent } from './sent.js';
import { createWorkloadTiers } from './workload-tiers.js';
import type { ActiveRules, DataplaneUpdate, LocalEndpoint } from './desired.js';
import type { Changes } from './effective-labels.js';
import type {
  Endpoint,
  EndpointId,
  ModelChange,
  Policy,
  PolicyId,
  Pool,
  Profile,
  ProfileId,
} from './model.js';

export interface PolicyGraph {
  /** Takes a batch of changes; answers with what the dataplane must do about it, in an order it may follow. */
  apply(changes: readonly ModelChange[]): readonly DataplaneUpdate[];
}

const hostStages = ['untracked', 'pre-dnat', 'forward'] as const;

/** The last change of each object; what it replaces in the same batch never happened. */
function latest(changes: readonly ModelChange[]) {
  const endpoints = new Map<EndpointId, Endpoint | undefined>();
  const policies = new Map<PolicyId, Policy | undefined>();
  const profiles = new Map<ProfileId, Profile | undefined>();
  const pools = new Map<string, Pool | undefined>();
  for (const change of changes) {
    switch (change.kind) {
      case 'endpoint':
        endpoints.set(change.id, change.endpoint);
        break;
      case 'policy':
        policies.set(change.id, change.policy);
        break;
      case 'profile':
        profiles.set(change.id, change.profile);
        break;
      case 'pool':
        pools.set(change.id, change.pool);
        break;
    }
  }
  return { endpoints, policies, profiles, pools };
}

function hostEndpoint(endpoint: Endpoint, policies: readonly Policy[]): LocalEndpoint {
  const tiers = tiersAt('normal', 'host', policies);
  const others = hostStages
    .map(stage => [stage, tiersAt(stage, 'host', policies)] as const)
    .filter(([, some]) => some.length > 0);
  return others.length === 0 ? { endpoint, tiers } : { endpoint, tiers, stages: Object.fromEntries(others) };
}

/**
 * The calculation graph of one node. It holds the whole model in memory and does no I/O; a change costs work in
 * proportion to what it touches. The result depends on the content alone, never on the way there.
 */
export function createPolicyGraph(node: string): PolicyGraph {
  //  endpoints ──┐
  //              ├─► effective labels ──► endpoints with labels and tags ──┬─► active policies
  //  profiles ───┘                                                         └─► IP sets
  const effectiveLabels = createEffectiveLabels();

  //  endpoints with labels ─┐                     ┌─► policies and profiles that matter here ─► rule selectors
  //  policies ──────────────┼─► active policies ──┤
  //  profiles ──────────────┘                     └─► local endpoints, each with the policies it matches ─► order
  const activePolicies = createActivePolicies(node);

  //  active policies and profiles ─► rule selectors ─┬─► rules with set ids ─► (sent)
  //                                                  └─► sets in use ─► IP sets
  const ruleSelectors = createRuleSelectors();

  //  sets in use ───────────┐
  //                         ├─► IP sets ─► members: all at first, then what came and went
  //  endpoints with labels ─┘
  const ipSets = createIpSets();

  //  rules, ordered local endpoints, pools ─► sent ─► only what differs from before ─► sequence ─► dataplane
  const sent = {
    policies: new Sent<PolicyId, ActiveRules>(),
    profiles: new Sent<ProfileId, ActiveRules>(),
    endpoints: new Sent<EndpointId, LocalEndpoint>(),
    pools: new Sent<string, Pool>(),
  };

  //  local endpoint, policies that match it ─► order ─► its tiers
  const tiersOf = createWorkloadTiers(activePolicies);
  const localEndpoints = (
    changed: Changes<EndpointId, Endpoint>,
    causes: Parameters<typeof tiersOf>[1],
  ): Changes<EndpointId, LocalEndpoint> => {
    const tiers = tiersOf(changed, causes);
    const local = (id: EndpointId, endpoint: Endpoint | undefined): LocalEndpoint | undefined => {
      if (endpoint === undefined) return undefined;
      const own = tiers.get(id);
      return own === undefined
        ? hostEndpoint(endpoint, activePolicies.policiesOf(id))
        : { endpoint, tiers: own };
    };
    return new Map([...changed].map(([id, endpoint]) => [id, local(id, endpoint)]));
  };

  return {
    apply(changes) {
      const batch = latest(changes);
      const endpoints = effectiveLabels.update(batch.endpoints, batch.profiles);
      const active = activePolicies.update({ ...batch, endpoints });
      const rules = ruleSelectors.update(active);
      const pools = sent.pools.take(batch.pools);
      return sequence({
        sets: ipSets.update({ sets: rules.sets, endpoints }),
        policies: sent.policies.take(rules.policies),
        profiles: sent.profiles.take(rules.profiles),
        endpoints: sent.endpoints.take(
          localEndpoints(active.endpoints, { policies: batch.policies, endpoints }),
        ),
        pools:
          pools.updated.length + pools.removed.length === 0
            ? undefined
            : [...sent.pools.values()].sort((a, b) => compareText(formatCidr(a.cidr), formatCidr(b.cidr))),
      });
    },
  };
}
