import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { contains, parseCidr } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import type { ActiveRule, SetId } from '../../policy/index.js';
import { RuleMerger } from './merge-rules.js';
import type { MergePlace } from './merge-rules.js';
import { labelled } from './policy-rules.js';
import type { LabelledRule } from './policy-rules.js';

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
const place = { owner: 'list', at: 'all' };
const mergeRules = (rules: readonly LabelledRule[], at: MergePlace) => new RuleMerger().merge(rules, at);
const merged = (rules: readonly ActiveRule[]) =>
  mergeRules(labelled('policy', 'p', rules), place).map(({ action, label, match }) => ({
    action,
    label,
    nets: match.sourceNets?.length,
  }));

const set = (name: string): SetId => name as SetId;
const inSet = (index: number, more: ActiveRule['match'] = {}): ActiveRule => ({
  action: 'allow',
  match: { sourceSets: [set(`s:${String(index)}`)], ...more },
});
const ten = Array.from({ length: 10 }, (_, index) => inSet(index));

const numbers = (sets: readonly SetId[]): string => sets.map(each => each.slice(2)).join('+');

/** What rules look like after merging, with the sets of a union in place of its name. */
function unions(rules: readonly ActiveRule[]): readonly unknown[] {
  return mergeRules(labelled('policy', 'p', rules), place).map(
    ({ label, match, merged: { unions: all = [] } = {} }) => {
      const named = (id: SetId): string => {
        const union = all.find(({ content }) => content === id);
        return union === undefined ? id : `u:${numbers(union.sets)}`;
      };
      return { label, ...match, sourceSets: match.sourceSets?.map(named) };
    },
  );
}

describe('rules that differ in their set alone', () => {
  test('look up the union of the sets', () => {
    const label = 'p#0 and 9 more';
    expect(unions(ten)).toStrictEqual([{ label, sourceSets: ['u:0+1+2+3+4+5+6+7+8+9'] }]);
    const tcp = { protocol: 6, destinationPorts: [{ min: 80, max: 80 }] };
    expect(unions(ten.map(({ match }, index) => inSet(index, { ...tcp, ...match })))).toStrictEqual([
      { label, sourceSets: ['u:0+1+2+3+4+5+6+7+8+9'], ...tcp },
    ]);
  });

  test('stay apart while they are few, or something else differs, or all but one set must have the address', () => {
    expect(unions(ten.slice(0, 7))).toHaveLength(7);
    expect(unions(ten.map((_, index) => inSet(index, { protocol: index })))).toHaveLength(10);
    const second = ten.map((_, index) =>
      inSet(index, { sourceSets: [set(`s:${String(index)}`), set('s:x')] }),
    );
    expect(unions(second)).toHaveLength(10);
  });

  test('need no union when it is the same set', () => {
    expect(unions(ten.map(() => inSet(1)))).toStrictEqual([{ label: 'p#0 and 9 more', sourceSets: ['s:1'] }]);
  });

  test('are merged side by side with networks that are the same', () => {
    const both = ten.flatMap((_, index) => [
      inSet(index, { sourceNets: [net('10.0.0.0/8')] }),
      inSet(index, { destinationSets: [set('s:y')] }),
    ]);
    expect(unions(both)).toHaveLength(2);
  });

  test('leave a union alone that is there, and remember what they stand for', () => {
    const once = mergeRules(labelled('policy', 'p', ten), place);
    const again = mergeRules([...once, ...labelled('policy', 'q', ten.slice(1))], {
      owner: 'list',
      at: '6 . 80',
    });
    expect(again.map(({ merged: all }) => all?.unions.map(({ sets }) => numbers(sets)))).toStrictEqual([
      ['0+1+2+3+4+5+6+7+8+9'],
      ['1+2+3+4+5+6+7+8+9'],
    ]);
    expect(again.map(({ merged: all }) => all?.rules.length)).toStrictEqual([10, 9]);
  });

  test('may differ in both of their sets, where each of one goes with each of the other', () => {
    const product = ten.flatMap((_, index) =>
      ten.map((__, other) => inSet(index, { destinationSets: [set(`s:${String(other)}`)] })),
    );
    const [one, ...others] = mergeRules(labelled('policy', 'p', product), place);
    expect(others).toStrictEqual([]);
    expect(one?.label).toBe('p#0 and 99 more');
    expect(one?.merged?.unions).toHaveLength(2);
  });

  test('become the same rule again at the same place, as long as they are the same', () => {
    const merger = new RuleMerger();
    const rules = labelled('policy', 'p', ten);
    const [one] = merger.merge(rules, place);
    expect(merger.merge([...rules], place)[0]).toBe(one);
    expect(merger.merge(rules, { ...place, at: 'elsewhere' })[0]).not.toBe(one);
    expect(merger.merge(labelled('policy', 'p', ten), place)[0]).not.toBe(one);
  });

  test('ask for their union from one place in one run of neighbours', () => {
    const denied = ten.map(rule => ({ ...rule, action: 'deny' as const }));
    const all = mergeRules(labelled('policy', 'p', [...ten, ...denied, ...ten]), place);
    const places = all.flatMap(rule => rule.merged?.unions.map(({ at }) => at) ?? []);
    expect(new Set(places).size).toBe(3);
    const shifted = mergeRules(labelled('policy', 'p', [...denied, ...ten]), place);
    expect(shifted.at(-1)?.merged?.unions[0]?.at).toBe(places[0]);
  });
});

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
          const after = mergeRules(labelled('policy', 'p', list), place);
          expect(decision(after, source, destination)).toBe(decision(list, source, destination));
        },
      ),
      { numRuns: 500 },
    );
  });
});
