import { digest } from '../base/index.js';
import type { Selector } from './selector.js';

/** The one text for all spellings of a selector: parentheses round each and/or, sets sorted (resources.md 7.4). */
export function canonicalText(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return 'all()';
    case 'has':
      return `has(${selector.label})`;
    case 'equals':
      return `${selector.label} == ${quoted(selector.value)}`;
    case 'not-equals':
      return `${selector.label} != ${quoted(selector.value)}`;
    case 'in':
      return `${selector.label} in {${selector.values.map(quoted).join(', ')}}`;
    case 'not-in':
      return `${selector.label} not in {${selector.values.map(quoted).join(', ')}}`;
    case 'not':
      return `!${canonicalText(selector.operand)}`;
    case 'and':
      return `(${selector.operands.map(canonicalText).join(' && ')})`;
    case 'or':
      break;
  }
  return `(${selector.operands.map(canonicalText).join(' || ')})`;
}

/** Stable, unique name of what a selector means: `s:` and the SHA-224 of its canonical text (resources.md 7.4). */
export function selectorId(selector: Selector): string {
  return `s:${digest('sha224', `s:${canonicalText(selector)}`)}`;
}

/** A value cannot hold both kinds of quotes: the language has no escapes. */
function quoted(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}
