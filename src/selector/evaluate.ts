import type { Selector } from './selector.js';

/**
 * True when the labels (the endpoint's own over those of its profiles) satisfy the selector. An absent label
 * fails `==`, `in` and `has`, and passes `!=` and `not in` (resources.md 7.3). Allocates nothing.
 */
export function matches(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  switch (selector.kind) {
    case 'all':
      return true;
    case 'has':
      // Labels may be called `constructor` or `toString`: what a plain object inherits is never a string.
      return typeof labels[selector.label] === 'string';
    case 'equals':
      return labels[selector.label] === selector.value;
    case 'not-equals':
      return labels[selector.label] !== selector.value;
    case 'in':
      return isOneOf(labels[selector.label], selector.values);
    case 'not-in':
      return !isOneOf(labels[selector.label], selector.values);
    case 'not':
      return !matches(selector.operand, labels);
    case 'and': {
      for (const operand of selector.operands) if (!matches(operand, labels)) return false;
      return true;
    }
    case 'or':
      break;
  }
  for (const operand of selector.operands) if (matches(operand, labels)) return true;
  return false;
}

function isOneOf(value: string | undefined, values: readonly string[]): boolean {
  return value !== undefined && values.includes(value);
}
