import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { contains, parseCidr } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import type { ActiveRule } from '../../policy/index.js';
import { mergeRules } from './merge-rules.js';
import { labelled } from './policy-rules.js';

function net(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(`no network: ${text}`);
  return cidr;
}

const from = (index: number, more: Partial<ActiveRule> = {}): ActiveRule => ({
  action: 'allow',
  match: { sourceNets: [net(`10.0.${String(index)}.0/24`)], ...more.match },
  ...(more.action && { action: more.action }),
});
const many = Array.from({ length: 20 }, (_, index) => from(index));
const merged = (rules: readonly ActiveRule[]) =>
  mergeRules(labelled('policy', 'p', rules)).map(({ action, label, match }) => ({
    action,
    label,
    nets: match.sourceNets?.length,
  }));

describe('rules that differ in their networks alone', () => {
  test('become one, with the networks of all', () => {
    expect(merged(many)).toStrictEqual([{ action: 'allow', label: 'p#0 and 19 more', nets: 20 }]);
  });

  test('stay apart while they are few', () => {
    expect(merged(many.slice(0, 8))).toHaveLength(8);
  });

  test('stay on their side of a rule that does something else', () => {
    const denied = from(3, { action: 'deny' });
    expect(merged([...many, denied, ...many]).map(rule => rule.action)).toStrictEqual([
      'allow',
      'deny',
      'allow',
    ]);
  });

  test('are not merged where something else differs, nor when they only log', () => {
    const tcp = from(1, { match: { protocol: 6 } });
    expect(merged([...many.slice(0, 8), tcp, ...many.slice(8)])).toHaveLength(2);
    expect(merged(many.map(rule => ({ ...rule, action: 'log' })))).toHaveLength(20);
  });

  test('decide together as they did one by one, in any mixture', () => {
    const nets = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.2.0.0/16', '0.0.0.0/0', 'fd00::/8'].map(
      net,
    );
    const some = fc.option(fc.subarray(nets, { minLength: 1, maxLength: 2 }), { nil: undefined });
    const anyRule = fc.record({
      // Mostly the same, so that there are neighbours to merge.
      action: fc.constantFrom('allow' as const, ...Array<'deny'>(12).fill('deny'), 'pass' as const),
      sourceNets: some,
      destinationNets: some,
    });
    const rules = fc.array(anyRule, { minLength: 16, maxLength: 80 });
    const addresses = ['10.1.2.3/32', '10.2.0.1/32', '192.0.2.1/32', 'fd00::1/128'].map(net);
    const decision = (list: readonly ActiveRule[], source: Cidr, destination: Cidr) =>
      list.find(({ match }) =>
        [[match.sourceNets, source] as const, [match.destinationNets, destination] as const].every(
          ([among, end]) => among === undefined || among.some(each => contains(each, end)),
        ),
      )?.action;
    fc.assert(
      fc.property(
        rules,
        fc.constantFrom(...addresses),
        fc.constantFrom(...addresses),
        (drawn, source, destination) => {
          const list = drawn.map(({ action, sourceNets, destinationNets }) => ({
            action,
            match: { ...(sourceNets && { sourceNets }), ...(destinationNets && { destinationNets }) },
          }));
          const after = mergeRules(labelled('policy', 'p', list));
          expect(decision(after, source, destination)).toBe(decision(list, source, destination));
        },
      ),
      { numRuns: 500 },
    );
  });
});
