import type { ActiveRules, DataplaneUpdate, LocalEndpoint } from './desired.js';
import type { EndpointId, PolicyId, Pool, ProfileId } from './model.js';
import type { SetUpdate } from './ip-sets.js';
import type { Difference } from './sent.js';

export interface Differences {
  readonly sets: readonly SetUpdate[];
  readonly policies: Difference<PolicyId, ActiveRules>;
  readonly profiles: Difference<ProfileId, ActiveRules>;
  readonly endpoints: Difference<EndpointId, LocalEndpoint>;
  /** all of them, when one has changed */
  readonly pools: readonly Pool[] | undefined;
}

/** Puts what changed in the order that desired.ts promises: users after what they use, removals reversed. */
export function sequence(changed: Differences): readonly DataplaneUpdate[] {
  const { sets, policies, profiles, endpoints, pools } = changed;
  const setsOf = (kind: SetUpdate['kind']) => sets.filter(update => update.kind === kind);
  return [
    ...setsOf('set-created'),
    ...setsOf('set-changed'),
    ...policies.updated.map(([id, rules]) => ({ kind: 'policy-updated' as const, id, rules })),
    ...profiles.updated.map(([id, rules]) => ({ kind: 'profile-updated' as const, id, rules })),
    ...endpoints.updated.map(([id, local]) => ({ kind: 'endpoint-updated' as const, id, local })),
    ...endpoints.removed.map(id => ({ kind: 'endpoint-removed' as const, id })),
    ...profiles.removed.map(id => ({ kind: 'profile-removed' as const, id })),
    ...policies.removed.map(id => ({ kind: 'policy-removed' as const, id })),
    ...setsOf('set-removed'),
    ...(pools === undefined ? [] : [{ kind: 'pools-updated' as const, pools }]),
  ];
}
