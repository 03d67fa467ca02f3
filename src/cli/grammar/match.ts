import type { Given } from './command-line.js';
import type { UsagePattern } from './usage-pattern.js';

/** What is still unmatched, and what was taken under the name that the usage section gives it. */
export interface Match {
  readonly left: readonly Given[];
  readonly taken: readonly Taken[];
}

export interface Taken {
  /** `--filename`, `<KIND>`, or the word itself */
  readonly name: string;
  readonly value: string | true;
}

function take(state: Match, index: number, taken: Taken): Match {
  return { left: state.left.toSpliced(index, 1), taken: [...state.taken, taken] };
}

function matchSequence(items: readonly UsagePattern[], state: Match): Match | undefined {
  let current: Match | undefined = state;
  for (const item of items) {
    current = matchPattern(item, current);
    if (current === undefined) return undefined;
  }
  return current;
}

/** The branch that leaves least unmatched; of equals the first. */
function matchChoice(items: readonly UsagePattern[], state: Match): Match | undefined {
  let best: Match | undefined;
  for (const item of items) {
    const outcome = matchPattern(item, state);
    if (outcome !== undefined && (best === undefined || outcome.left.length < best.left.length))
      best = outcome;
  }
  return best;
}

function matchRepeated(item: UsagePattern, state: Match): Match | undefined {
  let current = matchPattern(item, state);
  for (let next = current; next !== undefined; next = matchPattern(item, next)) {
    if (current !== undefined && next !== current && next.left.length === current.left.length) break;
    current = next;
  }
  return current;
}

/** Matches as docopt does: options wherever they stand, positionals and words in order. */
export function matchPattern(pattern: UsagePattern, state: Match): Match | undefined {
  switch (pattern.kind) {
    case 'sequence':
      return matchSequence(pattern.items, state);
    case 'choice':
      return matchChoice(pattern.items, state);
    case 'repeated':
      return matchRepeated(pattern.item, state);
    case 'optional':
      return matchOptional(pattern.item, state);
    case 'option': {
      const index = state.left.findIndex(given => given.kind === 'option' && given.name === pattern.name);
      const given = state.left[index];
      return given === undefined ? undefined : take(state, index, { name: pattern.name, value: given.value });
    }
    case 'argument':
    case 'word':
      break;
  }
  const index = state.left.findIndex(given => given.kind === 'argument');
  const value = state.left[index]?.value;
  if (value === undefined) return undefined;
  if (pattern.kind === 'argument') return take(state, index, { name: pattern.name, value });
  return value === pattern.word ? take(state, index, { name: pattern.word, value: true }) : undefined;
}

/** Each member of an optional sequence is optional on its own. */
function matchOptional(item: UsagePattern, state: Match): Match {
  const items = item.kind === 'sequence' ? item.items : [item];
  let current = state;
  for (const member of items) current = matchPattern(member, current) ?? current;
  return current;
}
