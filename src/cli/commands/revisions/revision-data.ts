import type { Difference, Revision, Subject, SubjectState } from '../../../datastore/index.js';
import { toJson } from '../../../resources/index.js';
import { isSecret } from './difference-lines.js';
import { subjectName } from './subject-name.js';

/** In UTC, to the second: what tables show. */
export function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A revision as plain data, for yaml and json. */
export function revisionData({
  revision,
  time,
  user,
  host,
  command,
  changes,
}: Revision): Readonly<Record<string, unknown>> {
  return {
    revision,
    time: new Date(time).toISOString(),
    user,
    host,
    command,
    changes: changes.map(({ subject, change }) => ({ name: subjectName(subject), change })),
  };
}

/** The same with what each thing was before and is after. */
export function withDifferences(
  revision: Revision & { readonly differences: readonly Difference[] },
): Readonly<Record<string, unknown>> {
  return {
    ...revisionData(revision),
    differences: revision.differences.map(({ subject, before, after }) => ({
      name: subjectName(subject),
      before: stateData(subject, before),
      after: stateData(subject, after),
    })),
  };
}

function stateData(subject: Subject, state: SubjectState): unknown {
  if (state.kind === 'absent') return undefined;
  if (state.kind === 'resource') return toJson(state.resource);
  return isSecret(subject) ? '(hidden)' : state.text;
}
