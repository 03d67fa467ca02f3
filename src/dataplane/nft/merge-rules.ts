import type { ActiveMatch } from '../../policy/index.js';
import { isUnion, unionId } from './names.js';
import type { LabelledRule } from './policy-rules.js';
import { remembering } from './remembering.js';
import type { UnionRequest } from './union-sets.js';

/** Where rules are merged: at one place again and again, and at one time only once. */
export type MergePlace = Pick<UnionRequest, 'owner' | 'at'>;

/** What takes the place of a field in many rules. */
interface Joined {
  readonly match: Partial<ActiveMatch>;
  readonly union?: Pick<UnionRequest, 'content' | 'sets'>;
}

/**
 * A field in which a packet has to be in one of the networks, or in the set: rules that differ in it alone can
 * be one.
 */
interface MergedField {
  readonly field: 'sourceNets' | 'destinationNets' | 'sourceSets' | 'destinationSets';
  /** with fewer rules the lookup of all at once saves too little */
  readonly fewest: number;
  /** true when a rule of that match can be merged with others */
  readonly isFit: (match: ActiveMatch) => boolean;
  readonly join: (matches: readonly ActiveMatch[]) => Joined;
}

/** A lookup among intervals costs as much as to try so many. */
const fewestNets = 16;
/** Saves 1 us on the first packet, for which members are in the kernel once more. */
const fewestSets = 8;

function ofNets(field: 'sourceNets' | 'destinationNets'): MergedField {
  return {
    field,
    fewest: fewestNets,
    isFit: match => match[field] !== undefined,
    join: matches => ({ match: { [field]: matches.flatMap(match => match[field] ?? []) } }),
  };
}

/** Of several sets in one rule all must have the address. What is a union already stays what others share. */
function ofSets(field: 'sourceSets' | 'destinationSets'): MergedField {
  return {
    field,
    fewest: fewestSets,
    isFit: ({ [field]: sets = [] }) => sets.length === 1 && !sets.some(isUnion),
    join: matches => {
      const sets = [...new Set(matches.flatMap(match => match[field] ?? []))].sort();
      if (sets.length === 1) return { match: { [field]: sets } };
      const content = unionId(sets);
      return { match: { [field]: [content] }, union: { content, sets } };
    },
  };
}

const mergedFields = [
  ofNets('sourceNets'),
  ofNets('destinationNets'),
  ofSets('sourceSets'),
  ofSets('destinationSets'),
] as const;

/** Equal for rules that differ in nothing but the field; empty where it cannot be merged. */
function likeness({ field, isFit }: MergedField): (rule: LabelledRule) => string {
  return ({ match }) => {
    if (!isFit(match)) return '';
    const { [field]: _, ...rest } = match;
    return JSON.stringify(rest, (__, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
  };
}

interface Merging {
  readonly merged: MergedField;
  readonly likenessOf: (rule: LabelledRule) => string;
}

/** Alike rules in one, at the place of the first of them. */
function mergedOf(
  alike: readonly LabelledRule[],
  first: LabelledRule,
  { join }: MergedField,
  place: MergePlace,
): LabelledRule {
  const { match, union } = join(alike.map(rule => rule.match));
  const merged = {
    unions: [...(first.merged?.unions ?? []), ...(union === undefined ? [] : [{ ...place, ...union }])],
    rules: alike.flatMap(rule => rule.merged?.rules ?? [rule]),
  };
  const label = `${merged.rules[0]?.label ?? first.label} and ${String(merged.rules.length - 1)} more`;
  return { ...first, label, match: { ...first.match, ...match }, merged };
}

interface Run {
  /** of all runs with that action the how manieth: another action somewhere before does not change it */
  readonly name: string;
  readonly rules: LabelledRule[];
}

/** Neighbours with the same action; a rule that only logs is alone. */
function runsOf(rules: readonly LabelledRule[]): readonly Run[] {
  const runs: Run[] = [];
  const counts = new Map<LabelledRule['action'], number>();
  for (const rule of rules) {
    const { action } = rule;
    const run = runs.at(-1);
    if (run?.rules[0]?.action === action && action !== 'log') {
      run.rules.push(rule);
      continue;
    }
    const count = counts.get(action) ?? 0;
    counts.set(action, count + 1);
    runs.push({ name: `${action} ${String(count)}`, rules: [rule] });
  }
  return runs;
}

/** What was made of some rules. */
interface Known {
  readonly alike: readonly LabelledRule[];
  readonly one: LabelledRule;
}

/** What was made at one place the last time, and this time; by field and likeness. */
interface Memory {
  readonly former: ReadonlyMap<string, Known>;
  readonly now: Map<string, Known>;
}

function isSame(a: readonly LabelledRule[], b: readonly LabelledRule[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index]);
}

/** All of the rules have the same action, so their order makes no difference. */
function mergeIn(
  { merged: field, likenessOf }: Merging,
  rules: readonly LabelledRule[],
  { owner, at }: MergePlace,
  { former, now }: Memory,
): readonly LabelledRule[] {
  // Most lists have nothing to merge: that is seen without looking for what is alike.
  if (rules.filter(({ match }) => field.isFit(match)).length < field.fewest) return rules;
  const groups = Map.groupBy(rules, likenessOf);
  groups.delete('');
  const merged = new Map<LabelledRule, LabelledRule | undefined>();
  for (const [what, alike] of groups) {
    const [first] = alike;
    if (first === undefined || alike.length < field.fewest) continue;
    const place = { owner, at: `${at} ${field.field} ${what}` };
    const known = former.get(place.at);
    const one = known && isSame(known.alike, alike) ? known.one : mergedOf(alike, first, field, place);
    now.set(place.at, { alike, one });
    for (const rule of alike) merged.set(rule, undefined);
    merged.set(first, one);
  }
  return merged.size === 0
    ? rules
    : rules.flatMap(rule => (merged.has(rule) ? (merged.get(rule) ?? []) : [rule]));
}

/**
 * Finds the same decisions by fewer rules: many neighbours that do the same and differ in their networks, or in their
 * set, alone become one, for which the kernel looks up all at once instead of trying rule by rule. It remembers what
 * it made at each place: the same rules become the same rule.
 */
export class RuleMerger {
  readonly #mergings = mergedFields.map((merged): Merging => ({
    merged,
    likenessOf: remembering(likeness(merged)),
  }));
  /** by owner, then by place */
  readonly #known = new Map<string, Map<string, ReadonlyMap<string, Known>>>();

  merge(rules: readonly LabelledRule[], { owner, at }: MergePlace): readonly LabelledRule[] {
    if (rules.length < fewestSets) return rules;
    const known = this.#known.get(owner) ?? new Map<string, ReadonlyMap<string, Known>>();
    const memory = { former: known.get(at) ?? new Map<string, Known>(), now: new Map<string, Known>() };
    const merged = runsOf(rules).flatMap(run =>
      this.#mergings.reduce<readonly LabelledRule[]>(
        (left, merging) => mergeIn(merging, left, { owner, at: `${at} ${run.name}` }, memory),
        run.rules,
      ),
    );
    if (memory.now.size > 0) this.#known.set(owner, known.set(at, memory.now));
    else known.delete(at);
    return merged;
  }

  /** The owner is gone. */
  end(owner: string): void {
    this.#known.delete(owner);
  }
}
