import type {
  BaseChain,
  Chain,
  ChainSnapshot,
  ElementKey,
  Elements,
  ElementValue,
  NftSet,
  Rule,
  Ruleset,
  RulesetSnapshot,
} from './model.js';

/** Something of the table as it is and as it shall be; undefined: not there. */
interface Change<Before, After = Before> {
  readonly before: Before | undefined;
  readonly after: After | undefined;
}

export type ChainChange = Change<ChainSnapshot, Chain>;
export type ElementChanges = ReadonlyMap<ElementKey, Change<ElementValue>>;

/** What differs; names that do not differ are not in it. */
export interface RulesetPatch {
  readonly sets: ReadonlyMap<string, Change<NftSet>>;
  readonly chains: ReadonlyMap<string, ChainChange>;
  /** by name of the set or map */
  readonly elements: ReadonlyMap<string, ElementChanges>;
  /** by name: whether it comes or goes */
  readonly counters: ReadonlyMap<string, 'add' | 'delete'>;
}

/** One step of a transaction; an applier writes them in this order, as one. */
export type Operation =
  | { readonly op: 'add-table' | 'delete-table' }
  | { readonly op: 'add-counter' | 'delete-counter'; readonly name: string }
  | { readonly op: 'add-set' | 'flush-set' | 'delete-set'; readonly set: NftSet }
  | { readonly op: 'add-chain'; readonly name: string; readonly base?: BaseChain }
  | { readonly op: 'flush-chain' | 'delete-chain'; readonly name: string }
  | { readonly op: 'add-rules'; readonly chain: string; readonly rules: readonly Rule[] }
  /** the chain has rules with those fingerprints, and shall have these rules */
  | {
      readonly op: 'replace-rules';
      readonly chain: string;
      readonly former: readonly string[];
      readonly rules: readonly Rule[];
    }
  | { readonly op: 'add-elements'; readonly set: NftSet; readonly elements: Elements }
  | { readonly op: 'delete-elements'; readonly set: NftSet; readonly keys: readonly ElementKey[] };

/** All of it takes effect at one moment, or nothing does. */
export type Transaction = readonly Operation[];

/** The text of a value, for comparing: all of them are small plain data. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function sameSet(a: NftSet, b: NftSet): boolean {
  return same(
    [a.key, a.verdicts, a.intervals ?? false, a.size ?? 0],
    [b.key, b.verdicts, b.intervals ?? false, b.size ?? 0],
  );
}

function sameBase(a: BaseChain | undefined, b: BaseChain | undefined): boolean {
  return a === b || same([a?.type, a?.hook, a?.priority], [b?.type, b?.hook, b?.priority]);
}

export function snapshotOf(chain: Chain): ChainSnapshot {
  const fingerprints = chain.rules.map(rule => rule.fingerprint);
  return chain.base === undefined ? { fingerprints } : { base: chain.base, fingerprints };
}

/** True when the chain says already what it shall say. */
export function sameChain(before: ChainSnapshot | undefined, after: Chain | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  const { base, fingerprints } = before;
  return (
    fingerprints.length === after.rules.length &&
    after.rules.every((rule, index) => rule.fingerprint === fingerprints[index]) &&
    sameBase(base, after.base)
  );
}

/** True when an element is there with that value, or is absent in both. */
export function sameElement(before: ElementValue | undefined, after: ElementValue | undefined): boolean {
  if (before === undefined || after === undefined || before === null || after === null)
    return before === after;
  return (
    before.kind === after.kind &&
    ('chain' in before ? before.chain : '') === ('chain' in after ? after.chain : '')
  );
}

const nothing: Elements = new Map();

function elementChanges(before: Elements, after: Elements): ElementChanges {
  const changes = new Map<ElementKey, Change<ElementValue>>();
  for (const [key, value] of before) {
    if (!sameElement(value, after.get(key))) changes.set(key, { before: value, after: after.get(key) });
  }
  for (const [key, value] of after)
    if (!before.has(key)) changes.set(key, { before: undefined, after: value });
  return changes;
}

function names(...maps: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  return [...new Set(maps.flatMap(map => [...map.keys()]))];
}

/** All that differs between a read-back and what shall be. */
export function patchBetween(before: RulesetSnapshot, after: Ruleset): RulesetPatch {
  const sets = new Map<string, Change<NftSet>>();
  for (const name of names(before.sets, after.sets)) {
    const change = { before: before.sets.get(name), after: after.sets.get(name) };
    if (change.before === undefined || change.after === undefined || !sameSet(change.before, change.after)) {
      sets.set(name, change);
    }
  }
  const chains = new Map<string, ChainChange>();
  for (const name of names(before.chains, after.chains)) {
    const change = { before: before.chains.get(name), after: after.chains.get(name) };
    if (!sameChain(change.before, change.after)) chains.set(name, change);
  }
  const elements = new Map<string, ElementChanges>();
  for (const name of names(before.elements, after.elements)) {
    const changes = elementChanges(before.elements.get(name) ?? nothing, after.elements.get(name) ?? nothing);
    if (changes.size > 0) elements.set(name, changes);
  }
  return { sets, chains, elements, counters: counterChanges(before.counters, after.counters) };
}

function counterChanges(before: ReadonlySet<string>, after: ReadonlySet<string>): RulesetPatch['counters'] {
  return new Map([
    ...[...after].filter(name => !before.has(name)).map(name => [name, 'add'] as const),
    ...[...before].filter(name => !after.has(name)).map(name => [name, 'delete'] as const),
  ]);
}

/** True when a set or base chain keeps its name but becomes another thing, which the kernel refuses in place. */
function redefines(patch: RulesetPatch): boolean {
  const both = (change: Change<unknown>): boolean =>
    change.before !== undefined && change.after !== undefined;
  return (
    [...patch.sets.values()].some(both) ||
    [...patch.chains.values()].some(
      ({ before, after }) => before && after && !sameBase(before.base, after.base),
    )
  );
}

function additions(changes: ElementChanges): Elements {
  const added = new Map<ElementKey, ElementValue>();
  for (const [key, { after }] of changes) if (after !== undefined) added.set(key, after);
  return added;
}

function deletions(changes: ElementChanges): readonly ElementKey[] {
  return [...changes].filter(([, { before }]) => before !== undefined).map(([key]) => key);
}

function elementOperations(
  patch: RulesetPatch,
  setOf: (name: string) => NftSet | undefined,
  verdicts: boolean,
): Transaction {
  return [...patch.elements].flatMap(([name, changes]): Transaction => {
    const set = setOf(name);
    if (set?.verdicts !== verdicts) return [];
    const [keys, elements] = [deletions(changes), additions(changes)];
    return [
      ...(keys.length > 0 ? [{ op: 'delete-elements', set, keys } as const] : []),
      ...(elements.size > 0 ? [{ op: 'add-elements', set, elements } as const] : []),
    ];
  });
}

function chainOperations(patch: RulesetPatch): Transaction {
  const wanted = [...patch.chains.values()].flatMap(({ before, after }) =>
    after ? [{ before, after }] : [],
  );
  return [
    ...wanted
      .filter(({ before }) => before === undefined)
      .map(
        ({ after }) =>
          ({ op: 'add-chain', name: after.name, ...(after.base ? { base: after.base } : {}) }) as const,
      ),
    ...wanted.flatMap(({ before, after: { name: chain, rules } }): Transaction => {
      if (before !== undefined) return [{ op: 'replace-rules', chain, former: before.fingerprints, rules }];
      return rules.length > 0 ? [{ op: 'add-rules', chain, rules }] : [];
    }),
  ];
}

function removals(patch: RulesetPatch): Transaction {
  const chains = [...patch.chains].filter(([, { after }]) => after === undefined).map(([name]) => name);
  const sets = [...patch.sets.values()].flatMap(({ before, after }) => (before && !after ? [before] : []));
  const maps = sets.filter(set => set.verdicts);
  const counters = [...patch.counters].filter(([, what]) => what === 'delete').map(([name]) => name);
  return [
    // Rules and elements first: a chain or set that is referred to cannot be deleted.
    ...chains.map(name => ({ op: 'flush-chain', name }) as const),
    ...maps.map(set => ({ op: 'flush-set', set }) as const),
    ...sets.map(set => ({ op: 'delete-set', set }) as const),
    ...chains.map(name => ({ op: 'delete-chain', name }) as const),
    ...counters.map(name => ({ op: 'delete-counter', name }) as const),
  ];
}

/**
 * The patch in the order in which the kernel takes it: what is referred to before what refers to it, and
 * removals the other way round. `after` tells the sets whose elements change.
 */
export function transactionOf(patch: RulesetPatch, after: Ruleset): Transaction {
  const setOf = (name: string): NftSet | undefined => after.sets.get(name);
  const newSets = [...patch.sets.values()].flatMap(change => (change.after ? [change.after] : []));
  const newCounters = [...patch.counters].filter(([, what]) => what === 'add').map(([name]) => name);
  return [
    ...newCounters.map(name => ({ op: 'add-counter', name }) as const),
    ...newSets.map(set => ({ op: 'add-set', set }) as const),
    ...elementOperations(patch, setOf, false),
    ...chainOperations(patch),
    ...elementOperations(patch, setOf, true),
    ...removals(patch),
  ];
}

const emptySnapshot: RulesetSnapshot = {
  sets: new Map(),
  chains: new Map(),
  elements: new Map(),
  counters: new Set(),
};

/** From a read-back (undefined: no table of ours) to what shall be, in one transaction; empty when it is so. */
export function transactionFrom(before: RulesetSnapshot | undefined, after: Ruleset): Transaction {
  if (before === undefined) {
    return [{ op: 'add-table' }, ...transactionOf(patchBetween(emptySnapshot, after), after)];
  }
  const patch = patchBetween(before, after);
  if (!redefines(patch)) return transactionOf(patch, after);
  return [{ op: 'delete-table' }, ...transactionFrom(undefined, after)];
}
