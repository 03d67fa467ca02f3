import type {
  ActiveRules,
  DataplaneUpdate,
  EndpointId,
  LocalEndpoint,
  PolicyId,
  Pool,
  ProfileId,
  SetId,
} from '../../policy/index.js';

/** What was there before the updates. */
export interface Before {
  readonly policy: (id: PolicyId) => ActiveRules | undefined;
  readonly profile: (id: ProfileId) => ActiveRules | undefined;
  readonly endpoint: (id: EndpointId) => LocalEndpoint | undefined;
  readonly content: (id: SetId) => { readonly content?: 'ports'; readonly members: ReadonlySet<string> };
  readonly pools: readonly Pool[];
}

function undo(update: DataplaneUpdate, before: Before): DataplaneUpdate {
  switch (update.kind) {
    case 'set-created':
      return { kind: 'set-removed', id: update.id };
    case 'set-changed':
      return { ...update, added: update.removed, removed: update.added };
    case 'set-removed':
      return { kind: 'set-created', id: update.id, ...before.content(update.id) };
    case 'policy-updated':
    case 'policy-removed': {
      const rules = before.policy(update.id);
      const { id } = update;
      return rules === undefined ? { kind: 'policy-removed', id } : { kind: 'policy-updated', id, rules };
    }
    case 'profile-updated':
    case 'profile-removed': {
      const rules = before.profile(update.id);
      const { id } = update;
      return rules === undefined ? { kind: 'profile-removed', id } : { kind: 'profile-updated', id, rules };
    }
    case 'endpoint-updated':
    case 'endpoint-removed': {
      const local = before.endpoint(update.id);
      const { id } = update;
      return local === undefined ? { kind: 'endpoint-removed', id } : { kind: 'endpoint-updated', id, local };
    }
    case 'pools-updated':
      break;
  }
  return { kind: 'pools-updated', pools: before.pools };
}

/** Updates that take these back, in the order in which they may be followed. */
export function undoOf(updates: readonly DataplaneUpdate[], before: Before): readonly DataplaneUpdate[] {
  return updates.map(update => undo(update, before)).reverse();
}
