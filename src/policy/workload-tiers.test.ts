import { describe, expect, test } from 'vitest';
import type { DataplaneUpdate } from './desired.js';
import { createPolicyGraph } from './graph.js';
import type { EndpointId, ModelChange, Policy, PolicyId } from './model.js';

function workload(name: string, role: string): ModelChange {
  const id = name as EndpointId;
  const endpoint = {
    id,
    kind: 'workload',
    node: 'here',
    labels: { role },
    profiles: [],
    addresses: [],
    interfaceName: `cali${name}`,
    adminUp: true,
  } as const;
  return { kind: 'endpoint', id, endpoint };
}

function policy(name: string, roles: readonly string[], order?: number): ModelChange {
  const id = name as PolicyId;
  const changed: Policy = {
    id,
    tier: 'default',
    selector: { kind: 'in', label: 'role', values: [...roles].sort() },
    types: ['ingress', 'egress'],
    ingress: [],
    egress: [],
    ...(order === undefined ? {} : { order }),
  };
  return { kind: 'policy', id, policy: changed };
}

/** By endpoint: its policies towards it, in order. */
function followed() {
  const graph = createPolicyGraph('here');
  const tiers = new Map<EndpointId, DataplaneUpdate & { readonly kind: 'endpoint-updated' }>();
  return (...changes: readonly ModelChange[]) => {
    for (const update of graph.apply(changes))
      if (update.kind === 'endpoint-updated') tiers.set(update.id, update);
    return Object.fromEntries(
      [...tiers].map(([id, { local }]) => [id, local.tiers.flatMap(tier => tier.ingress)]),
    );
  };
}

describe('the tiers of workloads', () => {
  test('are one object for all that match the same policies, also when those change', () => {
    const graph = createPolicyGraph('here');
    graph.apply([workload('a', 'web'), workload('b', 'web'), policy('p', ['web'])]);
    const updates = graph.apply([policy('q', ['web'])]);
    const tiers = updates.flatMap(update => (update.kind === 'endpoint-updated' ? [update.local.tiers] : []));
    expect(tiers).toHaveLength(2);
    expect(tiers[0]).toBe(tiers[1]);
  });

  test('part when a policy comes to some of them, or the labels of one change in the same batch', () => {
    const after = followed();
    after(workload('a', 'web'), workload('b', 'web'), workload('c', 'db'), policy('p', ['web', 'db']));
    expect(after(policy('q', ['db']))).toStrictEqual({ a: ['p'], b: ['p'], c: ['p', 'q'] });
    expect(after(policy('r', ['web', 'db']), workload('b', 'db'))).toStrictEqual({
      a: ['p', 'r'],
      b: ['p', 'q', 'r'],
      c: ['p', 'q', 'r'],
    });
  });

  test('follow the order of a policy that changes', () => {
    const after = followed();
    after(workload('a', 'web'), workload('b', 'web'), policy('p', ['web'], 1), policy('q', ['web'], 2));
    expect(after(policy('q', ['web'], 0))).toStrictEqual({ a: ['q', 'p'], b: ['q', 'p'] });
  });

  test('do not take a name with a line feed for two names', () => {
    const after = followed();
    after(policy('p', ['web']), policy('q', ['web']), policy('p\nq', ['db']));
    expect(after(workload('a', 'web'), workload('b', 'db'))).toStrictEqual({ a: ['p', 'q'], b: ['p\nq'] });
  });
});
