import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, explain } from '../../src/policy/index.js';
import { arbitraryModel, arbitraryPacket, defaultCast } from '../support/policy-arbitrary.js';
import { policy, rule } from '../support/policy-builders.js';
import type { Model, Policy, Rule } from '../../src/policy/index.js';

const worldAndPacket = [arbitraryModel(), arbitraryPacket()] as const;
/** Without host endpoints, so that nothing decides but the workloads' policies. */
const workloadsAndPacket = [arbitraryModel({ ...defaultCast, hostSlots: [] }), arbitraryPacket()] as const;

function withPolicies(model: Model, change: (policies: readonly Policy[]) => readonly Policy[]): Model {
  return { ...model, policies: new Map(change([...model.policies.values()]).map(each => [each.id, each])) };
}

const first = { order: -1e6 };
const logs = (rules: readonly Rule[]) => rules.flatMap(each => [rule('log'), each]);

describe('the evaluator, on random worlds and packets', () => {
  test('allows exactly what every point on the way allows, and ends at the first that does not', () => {
    fc.assert(
      fc.property(...worldAndPacket, (model, sent) => {
        const { allowed, path } = evaluate(model, sent);
        expect(path.length).toBeGreaterThan(0);
        expect(allowed).toBe(path.every(crossing => crossing.allowed));
        expect(path.slice(0, -1).every(crossing => crossing.allowed)).toBe(true);
      }),
    );
  });

  test('is not moved by rules that only log', () => {
    fc.assert(
      fc.property(...worldAndPacket, (model, sent) => {
        const logging = withPolicies(model, policies =>
          policies.map(each => ({ ...each, ingress: logs(each.ingress), egress: logs(each.egress) })),
        );
        expect(evaluate(logging, sent).allowed).toBe(evaluate(model, sent).allowed);
      }),
    );
  });

  test('is ruled by a policy that comes before all others, whatever it says', () => {
    fc.assert(
      fc.property(...workloadsAndPacket, fc.constantFrom('allow', 'deny'), (model, sent, action) => {
        const rules = { ingress: [rule(action)], egress: [rule(action)] };
        const ruled = withPolicies(model, policies => [policy('first', { ...first, ...rules }), ...policies]);
        expect(evaluate(ruled, sent).allowed).toBe(action === 'allow');
      }),
    );
  });

  test('is not moved by a policy for nobody, nor by a first one that passes to a world without policies', () => {
    fc.assert(
      fc.property(...workloadsAndPacket, (model, sent) => {
        const deny = { ...first, ingress: [rule('deny')], egress: [rule('deny')] };
        const forNobody = withPolicies(model, policies => [
          policy('nobody', { ...deny, selector: '!all()' }),
          ...policies,
        ]);
        expect(evaluate(forNobody, sent).allowed).toBe(evaluate(model, sent).allowed);
        const bare = withPolicies(model, () => []);
        const passing = withPolicies(model, () => [
          policy('pass', { ingress: [rule('pass')], egress: [rule('pass')] }),
        ]);
        expect(evaluate(passing, sent).allowed).toBe(evaluate(bare, sent).allowed);
      }),
    );
  });

  test('has a word for everything', () => {
    fc.assert(
      fc.property(...worldAndPacket, (model, sent) => {
        const lines = explain(evaluate(model, sent));
        expect(lines.length).toBeGreaterThan(1);
        expect(lines.join('\n')).not.toMatch(/undefined|NaN|\[object/);
      }),
    );
  });

  test('meets worlds in which rules are hit, and packets of both fates', () => {
    const samples = fc.sample(fc.tuple(...worldAndPacket), { numRuns: 500, seed: 1 });
    const verdicts = samples.map(([model, sent]) => evaluate(model, sent));
    const share = (count: number) => count / samples.length;
    const byRule = verdicts.filter(({ path }) => path.at(-1)?.decision.kind === 'rule').length;
    expect(share(verdicts.filter(({ allowed }) => allowed).length)).toBeGreaterThan(0.15);
    expect(share(verdicts.filter(({ allowed }) => !allowed).length)).toBeGreaterThan(0.15);
    expect(share(byRule)).toBeGreaterThan(0.3);
  });
});
