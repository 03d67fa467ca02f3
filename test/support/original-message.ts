import type { LegacyText, Problem } from '../../src/resources/index.js';

const META_STRUCT = 'unversioned.TypeMetadata';
const PARSE = 'error parsing document: ';

type Told = Problem & { readonly legacy: LegacyText };

/**
 * The whole message of the original, put together from the pieces that problems carry (calicoctl.md 4.3, 4.4, 16):
 * calicoctl prints more, so this is how the tests of resources see that the pieces are right. It told the first
 * thing that stopped it, in this order: kind and version, a bad value, a wrong type, unknown fields, rules of the
 * first bad resource. Only the last form has more than one line, and then ends with a newline.
 */
export function originalMessage(problems: readonly Problem[]): string {
  const told = problems.filter((problem): problem is Told => problem.legacy !== undefined);
  const walked = [...told].sort(inOrderOfDecoding);
  const first =
    walked.find(isAboutKind) ??
    walked.find(({ legacy }) => legacy.kind === 'parse' && legacy.of === 'value') ??
    walked.find(({ legacy }) => legacy.kind === 'parse');
  if (first?.legacy.kind === 'unknown-kind') return first.legacy.text;
  if (first?.legacy.kind === 'parse') return PARSE + first.legacy.text;
  const unknown = walked.flatMap(({ legacy }) => (legacy.kind === 'unknown-field' ? [legacy.name] : []));
  if (unknown.length > 0) return PARSE + unknownFields(unknown);
  return brokenRules(told);
}

function isAboutKind({ legacy }: Told): boolean {
  return legacy.kind === 'unknown-kind' || (legacy.kind === 'parse' && legacy.text.endsWith(META_STRUCT));
}

function unknownFields(names: readonly string[]): string {
  const [only] = names;
  if (names.length === 1)
    return `field in document is not recognized or is in the wrong location: ${only ?? ''}`;
  const shown = names.length > 5 ? names.slice(0, 4) : names;
  const more = names.length > 5 ? ` (+ ${String(names.length - 4)} more)` : '';
  return `fields in document are not recognized or are in the wrong location: ${shown.join(', ')}${more}`;
}

function brokenRules(told: readonly Told[]): string {
  const resource = told[0]?.resource;
  const rules = told
    .filter(problem => problem.resource === resource)
    .flatMap(({ legacy }) => (legacy.kind === 'field' ? [legacy] : []))
    .map(({ name, value, reason }) => `${name} = '${value}'${reason === undefined ? '' : ` (${reason})`}`);
  if (rules.length === 1) return `error with field ${rules[0] ?? ''}`;
  return `error with the following fields:\n${rules.map(rule => `-  ${rule}\n`).join('')}`;
}

/** The original decoded the keys of a map in byte order, whatever their order in the document. */
function inOrderOfDecoding(a: Problem, b: Problem): number {
  const left = stepsOf(a.path);
  const right = stepsOf(b.path);
  for (const [i, step] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    if (step !== other)
      return isIndex(step) && isIndex(other) ? indexOf(step) - indexOf(other) : step < other ? -1 : 1;
  }
  return left.length - right.length;
}

function stepsOf(path: string): readonly string[] {
  return path.match(/\[\d+\]|[^.[]+/g) ?? [];
}

function isIndex(step: string): boolean {
  return step.startsWith('[');
}

function indexOf(step: string): number {
  return Number(step.slice(1, -1));
}
