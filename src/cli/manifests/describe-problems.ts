import type { LegacyText, Problem } from '../../resources/index.js';
import { visible } from '../output/index.js';

/** A problem and the document of the input that has it. */
export interface PlacedProblem {
  readonly problem: Problem;
  /** counted from 1, empty documents included */
  readonly document: number;
}

/** Longest value that is printed; a line must stay readable, whatever the input was. */
const LONGEST_TEXT = 600;
/** Unknown fields that the original named at most, and how many it named when there were more. */
const MOST_UNKNOWN = 5;
const NAMED_OF_MANY = 4;

type Class = 'unknown-kind' | 'value' | 'type' | 'unknown-field' | 'field';

/** The order in which the original looked for mistakes: it showed the first class that it found. */
const classOrder: readonly Class[] = ['unknown-kind', 'value', 'type', 'unknown-field', 'field'];

function classOf(legacy: LegacyText): Class {
  return legacy.kind === 'parse' ? legacy.of : legacy.kind;
}

function clipped(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}

function fieldText({ name, value, reason }: Extract<LegacyText, { kind: 'field' }>): string {
  return `${name} = '${clipped(value)}'${reason === undefined ? '' : ` (${reason})`}`;
}

/** `(policy.yaml, document 2: spec.ingress[0].action: expected allow, deny, log or pass)`. */
function placeText({ problem, document }: PlacedProblem, input: string): string {
  const path = problem.path === '' ? '' : `${clipped(problem.path)}: `;
  return `(${input}, document ${String(document)}: ${path}expected ${problem.expected})`;
}

/** The problem as one item of several. */
function itemText({ problem }: PlacedProblem): string {
  const { legacy, path, value } = problem;
  switch (legacy?.kind) {
    case 'field':
      return fieldText(legacy);
    case 'parse':
    case 'unknown-kind':
      return clipped(legacy.text);
    case 'unknown-field':
      return `field ${clipped(legacy.name)} is not recognized or is in the wrong location`;
    case undefined:
      break;
  }
  return `${clipped(path)} = '${clipped(value)}'`;
}

/** Steps of a path compared as the original walked: keys in byte order, list elements by number. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a, b].map(path => path.split(/[.[\]]+/));
  for (const [index, step] of (left ?? []).entries()) {
    const other = right?.[index];
    if (other === undefined) return 1;
    if (step === other) continue;
    const numbers = Number(step) - Number(other);
    if (!Number.isNaN(numbers) && numbers !== 0) return numbers;
    return step < other ? -1 : 1;
  }
  return (left?.length ?? 0) - (right?.length ?? 0);
}

function unknownFieldsText(problems: readonly PlacedProblem[]): string {
  const names = problems
    .toSorted((a, b) => a.document - b.document || comparePaths(a.problem.path, b.problem.path))
    .map(({ problem }) =>
      problem.legacy?.kind === 'unknown-field' ? clipped(problem.legacy.name) : problem.path,
    );
  if (names.length === 1)
    return `field in document is not recognized or is in the wrong location: ${names.join()}`;
  const named = names.length > MOST_UNKNOWN ? names.slice(0, NAMED_OF_MANY) : names;
  const rest = names.length - named.length;
  const more = rest > 0 ? ` (+ ${String(rest)} more)` : '';
  return `fields in document are not recognized or are in the wrong location: ${named.join(', ')}${more}`;
}

/** What the original would have said about the first class of mistakes, without places. */
function headText(kind: Class, members: readonly PlacedProblem[]): string {
  const legacy = members[0]?.problem.legacy;
  if (kind === 'unknown-field') return `error parsing document: ${unknownFieldsText(members)}`;
  if (legacy?.kind === 'parse') return `error parsing document: ${clipped(legacy.text)}`;
  if (legacy?.kind === 'unknown-kind') return clipped(legacy.text);
  if (legacy?.kind === 'field') return `error with field ${fieldText(legacy)}`;
  return '';
}

/**
 * The problems of an input as text: first what the original said (`calicoctl.md` 4.3, 4.4, 16), then where each
 * problem is and what was expected. A single problem is one line; several are a list, which ends with an empty
 * line.
 */
export function describeProblems(problems: readonly PlacedProblem[], input: string): string {
  const withLegacy = problems.filter(({ problem }) => problem.legacy !== undefined);
  const classes = withLegacy.map(({ problem: { legacy } }) =>
    legacy === undefined ? 'field' : classOf(legacy),
  );
  const kind = classOrder.find(candidate => classes.includes(candidate)) ?? 'field';
  const members = withLegacy.filter((_, index) => classes[index] === kind);
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) {
    const head = members.length === 1 ? headText(kind, members) : `error with field ${itemText(only)}`;
    return visible(`${head} ${placeText(only, input)}`);
  }
  const head = kind === 'field' ? 'error with the following fields:' : headText(kind, members);
  return [head, ...problems.map(problem => `-  ${itemText(problem)} ${placeText(problem, input)}`)]
    .map(line => `${visible(line)}\n`)
    .join('');
}
