import type { ActiveMatch } from '../../policy/index.js';
import type { LabelledRule } from './policy-rules.js';

/** With fewer rules a lookup among intervals costs as much as to try them. */
const fewestMerged = 16;

/** Of these fields a packet has to be in one of the networks: rules that differ in them alone can be one. */
const fields = ['sourceNets', 'destinationNets'] as const;

type Field = (typeof fields)[number];

function without(match: ActiveMatch, field: Field): ActiveMatch {
  const { [field]: _, ...rest } = match;
  return rest;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** Alike rules in one field, at the place of the first of them. */
function mergedOf(alike: readonly LabelledRule[], field: Field): LabelledRule | undefined {
  const [first] = alike;
  if (first === undefined || alike.length < fewestMerged) return undefined;
  const nets = alike.flatMap(rule => rule.match[field] ?? []);
  const label = `${first.label} and ${String(alike.length - 1)} more`;
  return { ...first, label, match: { ...first.match, [field]: nets } };
}

/** All of the rules have the same action, so their order makes no difference. */
function mergeIn(field: Field, rules: readonly LabelledRule[]): readonly LabelledRule[] {
  if (rules.length < fewestMerged) return rules;
  const alike = Map.groupBy(rules, rule =>
    rule.match[field] === undefined ? '' : textOf(without(rule.match, field)),
  );
  alike.delete('');
  const merged = new Map<LabelledRule, LabelledRule | undefined>();
  for (const group of alike.values()) {
    const one = mergedOf(group, field);
    if (one !== undefined)
      for (const [index, rule] of group.entries()) merged.set(rule, index === 0 ? one : undefined);
  }
  return rules.flatMap(rule => (merged.has(rule) ? (merged.get(rule) ?? []) : [rule]));
}

/** Neighbours with the same action; a rule that only logs is alone. */
function runsOf(rules: readonly LabelledRule[]): readonly (readonly LabelledRule[])[] {
  const runs: LabelledRule[][] = [];
  for (const rule of rules) {
    const run = runs.at(-1);
    if (run?.[0]?.action === rule.action && rule.action !== 'log') run.push(rule);
    else runs.push([rule]);
  }
  return runs;
}

/**
 * The same decisions by fewer rules: many neighbours that do the same and differ in their networks alone become one,
 * whose networks the kernel looks up instead of trying rule by rule.
 */
export function mergeRules(rules: readonly LabelledRule[]): readonly LabelledRule[] {
  if (rules.length < fewestMerged) return rules;
  return runsOf(rules).flatMap(run => fields.reduce((left, field) => mergeIn(field, left), run));
}
