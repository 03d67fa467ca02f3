import { describe, expect, test } from 'vitest';
import type { ActiveRules, DataplaneUpdate, EndpointId, PolicyId, SetId } from '../../policy/index.js';
import { Isolation } from './isolate.js';

const rules = (...sets: readonly string[]): ActiveRules => ({
  ingress: [{ action: 'allow', match: sets.length === 0 ? {} : { sourceSets: sets as readonly SetId[] } }],
  egress: [],
});

const policy = (id: string, content = rules()): DataplaneUpdate => ({
  kind: 'policy-updated',
  id: id as PolicyId,
  rules: content,
});

const set = (id: string): DataplaneUpdate => ({
  kind: 'set-created',
  id: id as SetId,
  members: new Set(['10.65.0.1']),
});

function endpoint(id: string, ...policies: readonly string[]): DataplaneUpdate {
  const tier = { name: 'default', ingress: policies as readonly PolicyId[], egress: [] };
  const base = { kind: 'workload', node: 'here', labels: {}, profiles: [], addresses: [] } as const;
  const local = { endpoint: { ...base, id: id as EndpointId, adminUp: true }, tiers: [tier] };
  return { kind: 'endpoint-updated', id: id as EndpointId, local };
}

const isDenial = (update: DataplaneUpdate): boolean =>
  'rules' in update && update.rules.ingress.every(rule => rule.action === 'deny');

/** A kernel that has what it took, by object, and refuses what `refuses` says of that whole. */
function kernel(refuses: (state: ReadonlyMap<string, DataplaneUpdate>) => boolean) {
  const state = new Map<string, DataplaneUpdate>();
  let attempts = 0;
  return {
    state,
    attempts: () => attempts,
    attempt: async (updates: readonly DataplaneUpdate[]): Promise<boolean> => {
      attempts += 1;
      const next = new Map(state);
      for (const update of updates) if (update.kind !== 'pools-updated') next.set(update.id, update);
      if (refuses(next)) return await Promise.resolve(false);
      for (const [id, update] of next) state.set(id, update);
      return true;
    },
  };
}

describe('of a batch that the kernel refuses', () => {
  test('all is in force but the one bad policy, which denies', async () => {
    const { state, attempt, attempts } = kernel(all => {
      const bad = all.get('p77');
      return bad !== undefined && !isDenial(bad);
    });
    const isolation = new Isolation();
    const updates = Array.from({ length: 100 }, (_, index) => policy(`p${String(index)}`));
    await isolation.apply(updates, attempt);
    expect([...state.values()].filter(isDenial)).toMatchObject([{ id: 'p77' }]);
    expect(state.size).toBe(100);
    expect(isolation.problems).toStrictEqual([
      { object: 'policy p77', problem: 'the kernel refuses it; it denies everything' },
    ]);
    expect(attempts()).toBeLessThan(20);
    isolation.admit([policy('p77')]);
    expect(isolation.problems).toStrictEqual([]);
  });

  test('a policy is found that is bad only once an endpoint uses it', async () => {
    const { state, attempt } = kernel(all => {
      const bad = all.get('bad');
      return all.has('e1') && bad !== undefined && !isDenial(bad);
    });
    const isolation = new Isolation();
    await isolation.apply(
      [policy('good'), policy('bad'), endpoint('e1', 'good', 'bad'), endpoint('e2', 'good')],
      attempt,
    );
    expect([...state].filter(([, update]) => isDenial(update)).map(([id]) => id)).toStrictEqual(['bad']);
    expect(state.get('e1')?.kind).toBe('endpoint-updated');
    expect(state.get('e2')?.kind).toBe('endpoint-updated');
  });

  test('an endpoint that is bad by itself is closed', async () => {
    const { state, attempt } = kernel(all => all.get('e1')?.kind === 'endpoint-updated');
    const isolation = new Isolation();
    await isolation.apply([policy('good'), endpoint('e1', 'good'), endpoint('e2', 'good')], attempt);
    expect(state.get('e1')?.kind).toBe('endpoint-removed');
    expect(state.get('e2')?.kind).toBe('endpoint-updated');
    expect([...state.values()].some(isDenial)).toBe(false);
  });

  test('rules that look up a bad set deny, now and later, until the set has gone', async () => {
    const { state, attempt } = kernel(all => {
      const bad = all.get('bad');
      return bad?.kind === 'set-created' && bad.members.size > 0;
    });
    const isolation = new Isolation();
    const user = policy('user', rules('good', 'bad'));
    await isolation.apply([set('good'), set('bad'), user, policy('other', rules('good'))], attempt);
    expect([...state].filter(([, update]) => isDenial(update)).map(([id]) => id)).toStrictEqual(['user']);
    expect(isolation.admit([user]).every(isDenial)).toBe(true);
    const changed = { kind: 'set-changed', id: 'bad' as SetId, added: ['10.0.0.1'], removed: [] } as const;
    expect(isolation.admit([changed])).toStrictEqual([]);
    isolation.admit([{ kind: 'set-removed', id: 'bad' as SetId }]);
    expect(isolation.admit([user])).toStrictEqual([user]);
  });
});
