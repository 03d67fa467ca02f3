import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/policy/index.js';
import { endpoint, model, packet, policy, profile, rule, selector } from '../support/policy-builders.js';
import { smallestModel } from '../support/reduce-world.js';

describe('a world that shows something', () => {
  test('is reduced to what it takes to show it', async () => {
    const web = endpoint('web', { addresses: ['10.65.0.1'], labels: { role: 'web' }, profiles: ['open'] });
    const db = endpoint('db', {
      addresses: ['10.65.0.2'],
      labels: { role: 'db', env: 'x' },
      profiles: ['open'],
    });
    const open = profile('open', {
      ingress: [rule('allow')],
      egress: [rule('log'), rule('allow')],
      tags: ['t'],
    });
    const denies = rule('deny', { protocol: 6, sourceSelector: selector('role == "web"') });
    const world = model({
      endpoints: [web, db],
      profiles: [open],
      policies: [
        policy('noise', { order: 1, ingress: [rule('pass', { protocol: 17 })], types: ['ingress'] }),
        policy('guilty', {
          order: 0,
          selector: 'role == "db"',
          ingress: [rule('log'), denies],
          types: ['ingress'],
        }),
      ],
    });
    const isDenied = ({ path }: ReturnType<typeof evaluate>): boolean =>
      path.some(({ decision }) => decision.kind === 'rule' && decision.action === 'deny');
    const smallest = await smallestModel(
      world,
      async less => await Promise.resolve(isDenied(evaluate(less, packet('10.65.0.1', '10.65.0.2')))),
    );
    expect([...smallest.policies.values()]).toMatchObject([
      { id: 'guilty', selector: { kind: 'all' }, ingress: [{ action: 'deny', match: {} }], egress: [] },
    ]);
    // Without an endpoint of its own the source is just somebody outside.
    expect([...smallest.endpoints.values()]).toMatchObject([{ id: db.id, labels: {}, profiles: [] }]);
    expect(smallest.profiles.size).toBe(0);
  });
});
