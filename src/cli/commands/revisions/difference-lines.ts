import type { Difference, Subject, SubjectState } from '../../../datastore/index.js';
import { toJson } from '../../../resources/index.js';
import type { Resource } from '../../../resources/index.js';
import { formatYaml, unifiedDiff, visible } from '../../output/index.js';
import { subjectName } from './subject-name.js';

/** The lines of a resource in a difference: its YAML; none for what is not there. */
export function linesOf(resource: Resource | undefined): readonly string[] {
  return resource === undefined ? [] : formatYaml(toJson(resource)).trimEnd().split('\n');
}

/** One thing that is not the same on both sides, as a unified diff, safe for a terminal. */
export function unifiedLines(
  before: { readonly label: string; readonly lines: readonly string[] },
  after: { readonly label: string; readonly lines: readonly string[] },
): readonly string[] {
  const name = ({ label, lines }: typeof before): string =>
    lines.length === 0 ? '/dev/null' : visible(label);
  return [
    `--- ${name(before)}`,
    `+++ ${name(after)}`,
    ...unifiedDiff(before.lines, after.lines).map(visible),
  ];
}

/** What is different between two revisions; `from` and `to` are what the headers call them. */
export function differenceLines(
  { subject, before, after }: Difference,
  { from, to }: { readonly from: string; readonly to: string },
): readonly string[] {
  const name = subjectName(subject);
  const hidden = isSecret(subject) ? '(hidden)' : undefined;
  // Two that are hidden would look the same.
  const another = hidden !== undefined && before.kind !== 'absent' ? '(hidden, another)' : hidden;
  return unifiedLines(
    { label: `${from}/${name}`, lines: stateLines(before, hidden) },
    { label: `${to}/${name}`, lines: stateLines(after, another) },
  );
}

function stateLines(state: SubjectState, instead: string | undefined): readonly string[] {
  if (state.kind === 'absent') return [];
  if (state.kind === 'resource') return linesOf(state.resource);
  return (instead ?? state.text).split('\n');
}

/** Passwords of BGP sessions lie among the settings. */
export function isSecret(subject: Subject): boolean {
  return subject.kind === 'setting' && /password|secret/i.test(subject.setting.name);
}

/** Bold headers, red what goes, green what comes. */
export function coloured(line: string): string {
  const codes: readonly (readonly [string, string])[] = [
    ['---', '1'],
    ['+++', '1'],
    ['@@', '36'],
    ['-', '31'],
    ['+', '32'],
  ];
  const code = codes.find(([start]) => line.startsWith(start))?.[1];
  return code === undefined ? line : `\u001b[${code}m${line}\u001b[0m`;
}
