import { CalicoError, isCalicoError } from '../../base/index.js';
import type { Write } from '../store.js';
import { liveSubjects } from './live-subjects.js';
import { readPastValues } from './past-values.js';
import type { PastValues } from './past-values.js';
import type { KeyChange } from './record.js';
import { subjectChanges, subjectId, subjectOf, subjectsOf } from './subject.js';
import type { Subject, SubjectChange } from './subject.js';
import { commitRecorded } from './write-recorded.js';
import type { Recorder } from './write-recorded.js';

export interface RollbackRequest {
  /** the revision to go back to */
  readonly to: number;
  /** Also what is no configuration: workload endpoints, nodes, and what agents tell of their hosts. */
  readonly includeLive?: boolean;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  /** In several transactions, for more than the store takes in one. */
  readonly inParts?: boolean;
}

export interface Rollback {
  readonly changes: readonly SubjectChange[];
  /** what is not as it was then, and was left as it is */
  readonly leftAlone: readonly Subject[];
  /** undefined when nothing was written */
  readonly revision: number | undefined;
}

/** A key and what it becomes again. */
interface Undo extends KeyChange {
  readonly value: string | undefined;
}

/** What one of several transactions takes: with its record less than the limits of etcd. */
const keysInPart = 100;
const lettersInPart = 600_000;

/**
 * Goes back. It undoes what was changed since, key by key, on the condition that nobody has changed the keys
 * since they were looked at: then nothing is written, for that change should be read before it is undone.
 */
export async function rollBack(
  recorder: Recorder,
  { to, includeLive = false, dryRun = false, inParts = false }: RollbackRequest,
): Promise<Rollback> {
  const values = await readPastValues(recorder.store, { from: to, to: undefined, relatedKeys: () => [] });
  if (includeLive && values.endpointsSince !== undefined) {
    throw new CalicoError(
      'not-found',
      `workload endpoints of revision ${String(to)} are not in the history any more: ` +
        `the oldest are of ${String(values.endpointsSince)}`,
    );
  }
  const different = [...values.touched]
    .map(key => ({ key, value: values.valueAt(to, key), before: values.entryNow(key)?.value }))
    .filter(({ value, before }) => value !== before)
    .map((each): Undo => ({ ...each, present: each.value !== undefined }));
  const { live, untouchable } = liveSubjects(different, ({ value }) => value);
  const changed = different.filter(({ key }) => !untouchable.has(key) && (includeLive || !live.has(key)));
  const changes = subjectChanges(changed);
  const leftAlone = includeLive ? [] : subjectsOf(live);
  let revision: number | undefined;
  if (!dryRun) {
    const parts = inParts ? partsOf(changed) : [changed];
    for (const [index, part] of parts.entries()) {
      if (part.length > 0) revision = await undo(recorder, part, { values, done: index, of: parts.length });
    }
  }
  return { changes, leftAlone, revision };
}

async function undo(
  recorder: Recorder,
  part: readonly Undo[],
  { values, done, of }: { readonly values: PastValues; readonly done: number; readonly of: number },
): Promise<number> {
  const conditions = part.map(({ key }) => ({ key, modRevision: values.entryNow(key)?.modRevision ?? 0 }));
  const writes = part.map(({ key, value }): Write =>
    value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value },
  );
  try {
    const result = await commitRecorded(recorder, { commit: { conditions, writes }, changes: part });
    if (result.committed) return result.revision;
    const loser = subjectId(subjectOf(result.conflicts[0] ?? ''));
    throw new CalicoError('conflict', `update conflict: '${loser}' was changed just now`);
  } catch (error) {
    if (!isCalicoError(error) || done === 0) throw error;
    const how = `${error.message}; ${String(done)} of ${String(of)} parts are done: repeat it to go on`;
    throw new CalicoError(error.code, how, { cause: error });
  }
}

/** The keys of one subject stay together. */
function partsOf(changed: readonly Undo[]): readonly (readonly Undo[])[] {
  const bySubject = Map.groupBy(changed, ({ key }) => subjectId(subjectOf(key)));
  const parts: Undo[][] = [];
  let letters = Infinity;
  for (const undone of bySubject.values()) {
    const size = undone.reduce((sum, { value = '', before = '' }) => sum + value.length + before.length, 0);
    const last = parts.at(-1);
    if (last === undefined || last.length + undone.length > keysInPart || letters + size > lettersInPart) {
      parts.push([...undone]);
      letters = size;
    } else {
      last.push(...undone);
      letters += size;
    }
  }
  return parts;
}
