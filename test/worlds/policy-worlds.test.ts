import { describe, expect, test } from 'vitest';
import { digest } from '../../src/base/index.js';
import { formatCidr } from '../../src/net/index.js';
import { createPolicyGraph } from '../../src/policy/index.js';
import { selectorId } from '../../src/selector/index.js';
import { StrictDataplane } from '../support/dataplane-image.js';
import { selector } from '../support/policy-builders.js';
import { worlds } from './policy-worlds.js';
import type { ModelChange } from '../../src/policy/index.js';
import type { DataplaneImage } from '../support/dataplane-image.js';
import type { World } from './policy-worlds.js';

/**
 * The law: what the dataplane holds depends only on the present content, never on the way there. So every list
 * of worlds is walked in many ways, and after every step the dataplane must hold what that world demands.
 */
const nothing: World = { name: 'nothing', expected: {} };

function contentOf({
  endpoints = [],
  policies = [],
  profiles = [],
  pools = [],
}: World): readonly ModelChange[] {
  return [
    ...endpoints.map((value): ModelChange => ({ kind: 'endpoint', id: value.id, endpoint: value })),
    ...policies.map((value): ModelChange => ({ kind: 'policy', id: value.id, policy: value })),
    ...profiles.map((value): ModelChange => ({ kind: 'profile', id: value.id, profile: value })),
    ...pools.map((value): ModelChange => ({ kind: 'pool', id: formatCidr(value.cidr), pool: value })),
  ];
}

function removal(change: ModelChange): ModelChange {
  switch (change.kind) {
    case 'endpoint':
      return { kind: 'endpoint', id: change.id, endpoint: undefined };
    case 'policy':
      return { kind: 'policy', id: change.id, policy: undefined };
    case 'profile':
      return { kind: 'profile', id: change.id, profile: undefined };
    case 'pool':
      break;
  }
  return { kind: 'pool', id: change.id, pool: undefined };
}

/** The changes that lead from one world to the next. */
function steps(from: World, to: World): readonly ModelChange[] {
  const [before, after] = [contentOf(from), contentOf(to)];
  const stays = (old: ModelChange) => after.some(({ kind, id }) => kind === old.kind && id === old.id);
  return [...before.filter(old => !stays(old)).map(removal), ...after];
}

function setName(id: string): string {
  const sources = worlds.flatMap(({ expected }) => Object.keys(expected.sets ?? {}));
  const idOf = (source: string) =>
    source.startsWith('tag ')
      ? `t:${digest('sha224', `t:${source.slice(4)}`)}`
      : selectorId(selector(source));
  return sources.find(source => idOf(source) === id) ?? id;
}

function summary(image: DataplaneImage): World['expected'] {
  const lists = [...image.endpoints.values()].map(({ endpoint, tiers }) => {
    const order = (direction: 'ingress' | 'egress') => tiers.flatMap(tier => tier[direction]).join(', ');
    return [endpoint.interfaceName ?? endpoint.id, `${order('ingress')} / ${order('egress')}`] as const;
  });
  return {
    sets: Object.fromEntries([...image.sets].map(([id, members]) => [setName(id), [...members].sort()])),
    policies: [...image.policies.keys()].sort(),
    profiles: [...image.profiles.keys()].sort(),
    endpoints: Object.fromEntries(lists),
    pools: image.pools.length,
  };
}

type Arrange = (changes: readonly ModelChange[]) => readonly ModelChange[];
type Held = readonly (readonly [string, World['expected']])[];

/** What the dataplane holds after each step of a route. */
function walk(route: readonly World[], arrange: Arrange): Held {
  const graph = createPolicyGraph('here');
  const dataplane = new StrictDataplane();
  return route.map((world, index) => {
    dataplane.apply(graph.apply(arrange(steps(route[index - 1] ?? nothing, world))));
    return [world.name, summary(dataplane)];
  });
}

/** What it must hold. */
function demands(route: readonly World[]): Held {
  const none = { sets: {}, policies: [], profiles: [], endpoints: {}, pools: 0 };
  return route.map(({ name, expected }) => [name, { ...none, ...expected }]);
}

const asTheyAre: Arrange = changes => changes;
const reversed: Arrange = changes => changes.toReversed();
const withEmpties = worlds.flatMap(world => [world, nothing]);
const everyWay = worlds.flatMap(from => worlds.flatMap(to => [from, to, from, nothing]));

describe('the dataplane holds what the content demands', () => {
  test.each(worlds)('after starting with: $name', world => {
    expect(walk([world], asTheyAre)).toEqual(demands([world]));
    expect(walk([world], reversed)).toEqual(demands([world]));
  });

  test.each([
    ['every step forwards', worlds, asTheyAre],
    ['every step forwards, the changes of a step in reverse order', worlds, reversed],
    ['every step backwards', worlds.toReversed(), asTheyAre],
    ['every step backwards, the changes of a step in reverse order', worlds.toReversed(), reversed],
    ['every step with nothing in between', withEmpties, asTheyAre],
    ['every way from one world to another', everyWay, asTheyAre],
  ])('after %s', (_way, route, arrange) => {
    expect(walk(route, arrange)).toEqual(demands(route));
  });

  test('after all steps in one batch', () => {
    const route = [...worlds, ...worlds.toReversed(), nothing, ...worlds];
    const graph = createPolicyGraph('here');
    const dataplane = new StrictDataplane();
    dataplane.apply(graph.apply(route.flatMap((world, index) => steps(route[index - 1] ?? nothing, world))));
    expect(summary(dataplane)).toMatchObject(route.at(-1)?.expected ?? {});
  });

  test('and nothing at all after coming and going in one batch', () => {
    const graph = createPolicyGraph('here');
    const said = worlds.map(world => graph.apply([...steps(nothing, world), ...steps(world, nothing)]));
    expect(said.flat()).toEqual([]);
  });
});

describe('a strict dataplane', () => {
  const demand = (world: World) => createPolicyGraph('here').apply(contentOf(world));
  const [busy = nothing] = worlds.filter(({ name }) => name.startsWith('a policy by label'));

  test.each([
    ['updates in reverse order', () => demand(busy).toReversed()],
    ['a set that is missing', () => demand(busy).filter(({ kind }) => kind !== 'set-created')],
    ['a policy that is missing', () => demand(busy).filter(({ kind }) => kind !== 'policy-updated')],
    ['a policy for nobody', () => demand(busy).filter(({ kind }) => kind !== 'endpoint-updated')],
    ['the same update twice', () => [...demand(busy), ...demand(busy)]],
  ])('refuses %s', (_case, updates) => {
    expect(() => {
      new StrictDataplane().apply(updates());
    }).toThrow('broken promise of the graph');
  });
});
