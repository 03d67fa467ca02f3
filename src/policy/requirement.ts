import type { Labels } from './model.js';
import type { Selector } from '../selector/index.js';

/**
 * What a set of labels can be found by: `label` for "has it", `label NUL value` for "has it with that value".
 * NUL cannot stand in a label's name.
 */
export type LabelKey = string;

function valueKey(label: string, value: string): LabelKey {
  return `${label}\0${value}`;
}

/** All keys that a set of labels is found by. */
export function labelKeys(labels: Labels): readonly LabelKey[] {
  return Object.entries(labels).flatMap(([label, value]) => [label, valueKey(label, value)]);
}

/**
 * Keys of which labels must have at least one for the selector to be true; undefined when there is no such
 * restriction (`all()`, `a != "b"`). The fewer keys and the more of them with a value, the fewer candidates.
 */
export function requirement(selector: Selector, negated = false): readonly LabelKey[] | undefined {
  switch (selector.kind) {
    case 'all':
      return negated ? [] : undefined;
    case 'has':
      return negated ? undefined : [selector.label];
    case 'equals':
      return negated ? undefined : [valueKey(selector.label, selector.value)];
    case 'not-equals':
      return negated ? [valueKey(selector.label, selector.value)] : undefined;
    case 'in':
      return negated ? undefined : selector.values.map(value => valueKey(selector.label, value));
    case 'not-in':
      return negated ? selector.values.map(value => valueKey(selector.label, value)) : undefined;
    case 'not':
      return requirement(selector.operand, !negated);
    case 'and':
    case 'or':
      break;
  }
  const parts = selector.operands.map(operand => requirement(operand, negated));
  // De Morgan: a negated `or` demands all of its negated operands.
  return (selector.kind === 'and') === negated ? union(parts) : narrowest(parts);
}

type Part = readonly LabelKey[] | undefined;

function union(parts: readonly Part[]): Part {
  const keys = new Set<LabelKey>();
  for (const part of parts) {
    if (part === undefined) return undefined;
    for (const key of part) keys.add(key);
  }
  return [...keys];
}

function narrowest(parts: readonly Part[]): Part {
  const cost = (keys: readonly LabelKey[]): number =>
    keys.reduce((sum, key) => sum + (key.includes('\0') ? 1 : 1000), 0);
  return parts.reduce(
    (best, part) => (best === undefined || (part !== undefined && cost(part) < cost(best)) ? part : best),
    undefined,
  );
}
