import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../base/index.js';
import { parseIp, widthOf } from '../../net/index.js';
import type { DataplaneUpdate, EndpointId, PolicyId, SetId } from '../../policy/index.js';
import { createCompiler } from './compile.js';
import type { Compiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import { DesiredRuleset } from './desired-ruleset.js';
import { transactionOf } from './diff.js';
import type { RulesetPatch } from './diff.js';
import type { ElementValue } from './model.js';
import { renderTransaction } from './render.js';
import { UnionSets } from './union-sets.js';

/** Each policy allows what is in a set of its own; each endpoint has some of the policies. */
interface World {
  readonly members: readonly (readonly string[])[];
  readonly endpoints: readonly (readonly number[])[];
}

const setOf = (index: number): SetId => `s:${String(index)}` as SetId;
const interfaceOf = (index: number): string => `cali${String(index)}`;

function policiesIn({ endpoints }: World): readonly number[] {
  return [...new Set(endpoints.flat())];
}

function setUpdate(index: number, before: World, after: World): DataplaneUpdate {
  const id = setOf(index);
  const [had = [], has = []] = [before.members[index], after.members[index]];
  if (!policiesIn(before).includes(index)) return { kind: 'set-created', id, members: new Set(has) };
  const added = has.filter(member => !had.includes(member));
  return { kind: 'set-changed', id, added, removed: had.filter(member => !has.includes(member)) };
}

function endpointUpdate(policies: readonly number[], index: number): DataplaneUpdate {
  const id = `endpoint ${String(index)}` as EndpointId;
  const ids = policies.map(each => `p${String(each)}` as PolicyId);
  const settled = { node: 'here', labels: {}, adminUp: true, addresses: [], profiles: [] };
  const endpoint = { id, kind: 'workload', interfaceName: interfaceOf(index), ...settled } as const;
  return {
    kind: 'endpoint-updated',
    id,
    local: { endpoint, tiers: [{ name: 'default', ingress: ids, egress: [] }] },
  };
}

/** As the calculation graph would tell it. */
function changes(before: World, after: World): readonly DataplaneUpdate[] {
  const [had, has] = [policiesIn(before), policiesIn(after)];
  const fresh = has.filter(index => !had.includes(index));
  const gone = had.filter(index => !has.includes(index));
  return [
    ...has.map(index => setUpdate(index, before, after)),
    ...fresh.map((index): DataplaneUpdate => ({
      kind: 'policy-updated',
      id: `p${String(index)}` as PolicyId,
      rules: { ingress: [{ action: 'allow', match: { sourceSets: [setOf(index)] } }], egress: [] },
    })),
    ...after.endpoints.map(endpointUpdate),
    ...gone.map((index): DataplaneUpdate => ({
      kind: 'policy-removed',
      id: `p${String(index)}` as PolicyId,
    })),
    ...gone.map((index): DataplaneUpdate => ({ kind: 'set-removed', id: setOf(index) })),
  ];
}

const nothing: World = { members: [], endpoints: [] };

/** The chain and all to which it leads. */
function reachable(compiled: Compiler, chain: string): readonly string[] {
  const rules = compiled.ruleset().chains.get(chain)?.rules ?? [];
  const goals = rules.flatMap(({ statement }) => ('chain' in statement ? [statement.chain] : []));
  return [chain, ...goals.flatMap(goal => reachable(compiled, goal))];
}

/** Whom the endpoint’s list lets in, as networks. */
function allowed(compiled: Compiler, index: number): readonly string[] {
  const { chains, elements } = compiled.ruleset();
  const first = elements.get('wl-to')?.get(interfaceOf(index));
  if (first === undefined || first === null || !('chain' in first)) return [];
  const tests = reachable(compiled, first.chain)
    .flatMap(name => chains.get(name)?.rules ?? [])
    .flatMap(rule => rule.tests);
  const all = tests.flatMap(each =>
    each.kind === 'in-set'
      ? [...(elements.get(each.set)?.keys() ?? [])].map(key => `${key}/${String(each.length)}`)
      : [],
  );
  return [...new Set(all)].sort();
}

function wanted({ members, endpoints }: World, index: number): readonly string[] {
  const all = (endpoints[index] ?? [])
    .flatMap(policy => members[policy] ?? [])
    .map(member => {
      const version = parseIp(member)?.version;
      return version === undefined ? member : `${member}/${String(widthOf(version))}`;
    });
  return [...new Set(all)].sort();
}

/** Kernel sets for members of IP sets and of unions. */
function memberSets(compiled: Compiler): readonly string[] {
  return [...compiled.ruleset().sets.keys()].filter(name => /^[sun][46]-/.test(name));
}

function unionsIn(compiled: Compiler): readonly string[] {
  return memberSets(compiled).filter(name => name.startsWith('u4') && name.length === 15);
}

/** Sets for members that no rule looks up, and names that rules look up in vain. */
function misfits(compiled: Compiler): ReadonlySet<string> {
  const rules = [...compiled.ruleset().chains.values()].flatMap(chain => chain.rules);
  const looked = rules.flatMap(({ tests }) => tests.flatMap(each => ('set' in each ? each.set : [])));
  return new Set(looked.filter(name => /^[sun][46]-/.test(name))).symmetricDifference(
    new Set(memberSets(compiled)),
  );
}

/** What the compiler asks of the kernel since the last call. */
function commands(compiled: Compiler): readonly string[] {
  const text = renderTransaction(transactionOf(compiled.takePatch(), compiled.ruleset()));
  return text.split('\n').filter(line => line !== '');
}

/** Follows patches of sets, and holds each to what is there before. */
class Mirror {
  readonly #sets = new Map<string, Map<string, ElementValue>>();

  follow({ sets, elements }: RulesetPatch): void {
    for (const [name, { before, after }] of sets) {
      expect(this.#sets.has(name)).toBe(before !== undefined);
      if (after === undefined) this.#sets.delete(name);
      else this.#sets.set(name, new Map());
    }
    for (const [name, all] of elements) {
      const there = this.#sets.get(name);
      for (const [key, { before, after }] of there === undefined ? [] : all) {
        expect(there?.get(key)).toStrictEqual(before);
        if (after === undefined) there?.delete(key);
        else there?.set(key, after);
      }
    }
  }

  /** Those of members of IP sets, by name. */
  content(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      [...this.#sets]
        .filter(([name]) => /^[sun][46]-/.test(name))
        .map(([name, elements]) => [name, [...elements.keys()].sort()]),
    );
  }
}

const twelve = Array.from({ length: 12 }, (_, index) => index);
/** Each set has an address of its own and one that all have. */
const members = [...twelve, 12, 13].map(index => [`10.0.0.${String(index)}`, '10.9.9.9']);

function programmed(world: World): Compiler {
  const compiled = createCompiler(defaultNftConfig, silentLogger);
  compiled.accept(changes(nothing, world));
  commands(compiled);
  return compiled;
}

/** The commands for a change, with the same word for all unions. */
function commandsFor(compiled: Compiler, updates: readonly DataplaneUpdate[]): readonly string[] {
  compiled.accept(updates);
  return commands(compiled).map(line => line.replace(/u4-[\w-]+/, 'UNION'));
}

function* noMembers(): Generator<never> {}

describe('a union of IP sets', () => {
  test('takes the place of the sets in the kernel, and has what is in several of them once', () => {
    const world = { members, endpoints: [twelve] };
    const compiled = programmed(world);
    expect(memberSets(compiled).map(name => name.slice(0, 3))).toStrictEqual(['u4-', 'u6-']);
    expect(compiled.ruleset().elements.get(unionsIn(compiled)[0] ?? '')?.size).toBe(13);
    expect(allowed(compiled, 0)).toStrictEqual(wanted(world, 0));
  });

  test('costs the kernel only what changes: one more, or one that no set has any more', () => {
    const compiled = programmed({ members, endpoints: [twelve] });
    const change = (index: number, added: readonly string[], removed: readonly string[]): readonly string[] =>
      commandsFor(compiled, [{ kind: 'set-changed', id: setOf(index), added, removed }]);
    expect(change(1, ['10.1.1.1'], [])).toStrictEqual(['add element inet calico UNION { 10.1.1.1 }']);
    expect(change(2, ['10.1.1.1'], [])).toStrictEqual([]);
    expect(change(1, [], ['10.1.1.1', '10.9.9.9'])).toStrictEqual([]);
    expect(change(2, [], ['10.1.1.1'])).toStrictEqual(['delete element inet calico UNION { 10.1.1.1 }']);
  });

  test('gets only the members of the policy that an endpoint has more, and loses them with it', () => {
    const world = { members, endpoints: [twelve] };
    const more = { members, endpoints: [[...twelve, 12]] };
    const compiled = programmed(world);
    const elements = (lines: readonly string[]): readonly string[] =>
      lines.filter(line => line.includes('element'));
    expect(elements(commandsFor(compiled, changes(world, more)))).toStrictEqual([
      'add element inet calico UNION { 10.0.0.12 }',
    ]);
    expect(elements(commandsFor(compiled, changes(more, world)))).toStrictEqual([
      'delete element inet calico UNION { 10.0.0.12 }',
    ]);
  });

  test('is one for all lists that look up the same, until one of them looks up something else', () => {
    const world = { members, endpoints: [twelve, [12, ...twelve]] };
    const same = {
      members,
      endpoints: [
        [...twelve, 12],
        [12, ...twelve],
      ],
    };
    const other = {
      members,
      endpoints: [
        [...twelve, 12, 13],
        [12, ...twelve],
      ],
    };
    const compiled = programmed(world);
    expect(unionsIn(compiled)).toHaveLength(2);
    expect(unionsIn(programmed(same))).toHaveLength(1);
    const shared = programmed(same);
    shared.accept(changes(same, other));
    expect(unionsIn(shared)).toHaveLength(2);
    expect([0, 1].map(index => allowed(shared, index))).toStrictEqual(
      [0, 1].map(index => wanted(other, index)),
    );
  });

  test('has another name where its own is that of one which became something else', () => {
    const worlds = [[twelve], [[...twelve, 12]], [[...twelve, 12], twelve]].map(endpoints => ({
      members,
      endpoints,
    }));
    const compiled = createCompiler(defaultNftConfig, silentLogger);
    let before = nothing;
    for (const after of worlds) {
      compiled.accept(changes(before, after));
      before = after;
    }
    expect(unionsIn(compiled)).toHaveLength(2);
    for (const index of [0, 1]) expect(allowed(compiled, index)).toStrictEqual(wanted(before, index));
  });

  test('is looked up for one more prefix length when a member has the first of it', () => {
    const compiled = programmed({ members, endpoints: [twelve] });
    compiled.accept([{ kind: 'set-changed', id: setOf(3), added: ['10.128.0.0/9'], removed: [] }]);
    expect(commands(compiled).filter(line => line.includes('255.128.0.0'))).toHaveLength(1);
    expect(allowed(compiled, 0)).toContain('10.128.0.0/9');
  });

  test('goes with the rules that look it up, and the single sets come back for those that are left', () => {
    const before = { members, endpoints: [twelve] };
    const after = { members, endpoints: [[0, 1, 2]] };
    const compiled = programmed(before);
    compiled.accept(changes(before, after));
    expect(unionsIn(compiled)).toStrictEqual([]);
    expect(allowed(compiled, 0)).toStrictEqual(wanted(after, 0));
    compiled.accept([{ kind: 'endpoint-removed', id: 'endpoint 0' as EndpointId }]);
    expect(memberSets(compiled)).toStrictEqual([]);
  });

  test('is refused where it would have too many members, so that rules look up one set each', () => {
    const part = { size: 300_000, lengths: () => [32], members: noMembers };
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => warnings.push(message) };
    const unions = new UnionSets({ desired: new DesiredRuleset([]), part: () => part, log });
    const request = { owner: 'list', at: 'all', content: 'u:1' as SetId, sets: [setOf(1)] };
    expect(unions.of(request)).toBe('u:1');
    expect(unions.of({ ...request, content: 'u:2' as SetId, sets: [setOf(1), setOf(2)] })).toBeUndefined();
    unions.settle(new Set());
    expect(unions.of({ ...request, content: 'u:3' as SetId, sets: [setOf(3)] })).toBe('u:3');
    expect(unions.of({ ...request, at: 'other', content: 'u:4' as SetId })).toBeUndefined();
    expect(warnings).toStrictEqual([expect.stringMatching(/^too many members to look up many selectors/)]);
  });

  test('is the union after whatever has changed, and just the sets are in the kernel that are looked up', () => {
    const pool = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', '10.0.0.0/8', '10.0.0.0/24', 'fd00::/8'];
    const some = fc.oneof(
      fc.subarray(twelve, { minLength: 5 }),
      fc.constantFrom(twelve, twelve.slice(1), twelve.slice(2)),
    );
    const two = fc.oneof(
      fc.tuple(some, some),
      some.map(policies => [policies, [...policies].reverse()]),
    );
    const world = fc.record({
      members: fc.tuple(...twelve.map(() => fc.subarray(pool, { maxLength: 4 }))),
      endpoints: two,
      isSent: fc.boolean(),
    });
    let unions = 0;
    fc.assert(
      fc.property(fc.array(world, { minLength: 1, maxLength: 8 }), worlds => {
        const compiled = createCompiler(defaultNftConfig, silentLogger);
        const mirror = new Mirror();
        let before = nothing;
        for (const after of worlds) {
          compiled.accept(changes(before, after));
          for (const index of [0, 1]) expect(allowed(compiled, index)).toStrictEqual(wanted(after, index));
          expect(misfits(compiled)).toStrictEqual(new Set());
          unions += unionsIn(compiled).length;
          before = after;
          if (after.isSent) mirror.follow(compiled.takePatch());
        }
        mirror.follow(compiled.takePatch());
        const there = memberSets(compiled).map(
          name => [name, [...(compiled.ruleset().elements.get(name)?.keys() ?? [])].sort()] as const,
        );
        expect(mirror.content()).toStrictEqual(new Map(there));
      }),
    );
    expect(unions).toBeGreaterThan(100);
  });
});
