import { CalicoError, systemClock } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import type { Store } from '../store.js';
import { checkRevision, readPastValues } from './past-values.js';
import { readIndex, readRecords } from './read-records.js';
import type { KeptRecord } from './read-records.js';
import type { Author } from './record.js';
import { rollBack } from './roll-back.js';
import type { Rollback, RollbackRequest } from './roll-back.js';
import { keysOfSubject, stateOf, subjectChanges, subjectsOf } from './subject.js';
import type { Subject, SubjectChange, SubjectState } from './subject.js';
import { createRecorder } from './write-recorded.js';

/** One change of resources and settings: all that one command did at once. */
export interface Revision extends Author {
  readonly revision: number;
  /** Unix time in ms */
  readonly time: number;
  readonly changes: readonly SubjectChange[];
}

export interface RevisionQuery {
  /** only revisions that changed one of these; without it all */
  readonly concerns?: (subject: Subject) => boolean;
  /** at most so many, the newest */
  readonly limit?: number;
  /** Also revisions that changed workload endpoints and nothing else. */
  readonly endpoints?: boolean;
}

/** A subject that is not the same at two revisions. */
export interface Difference {
  readonly subject: Subject;
  readonly before: SubjectState;
  readonly after: SubjectState;
}

/**
 * The history of resources and settings: which revisions there were, what they were, and the way back.
 * A revision that is not known, or not any more, is `not-found`.
 */
export interface History {
  /** The newest first; of each only the changes that the query is about. */
  revisions(query?: RevisionQuery): Promise<readonly Revision[]>;
  /** One revision, and all that it changed. */
  revision(revision: number): Promise<Revision & { readonly differences: readonly Difference[] }>;
  /**
   * What is different at `to` from what was at `from`; without `to`, what is different now. Workload endpoints
   * are kept for a shorter time, and left out where they are not known any more.
   */
  differences(from: number, to?: number): Promise<readonly Difference[]>;
  /** Makes resources and settings what they were at a revision, as one change that is recorded itself. */
  rollBack(request: RollbackRequest): Promise<Rollback>;
}

export interface HistoryOptions {
  /** who rolls back */
  readonly author: Author;
  readonly clock?: Clock;
}

/** The history that the resource clients over the same store write. */
export function createHistory(store: Store, { author, clock = systemClock }: HistoryOptions): History {
  return {
    revisions: async query => await listRevisions(store, query ?? {}),
    revision: async revision => await readRevision(store, revision),
    differences: async (from, to) => await compare(store, from, to),
    rollBack: async request => await rollBack(createRecorder({ store, author, clock }), request),
  };
}

function revisionOf({ changes, ...rest }: KeptRecord): Revision {
  return { ...rest, changes: subjectChanges(changes) };
}

async function listRevisions(
  store: Store,
  { concerns, limit = Infinity, endpoints = false }: RevisionQuery,
): Promise<readonly Revision[]> {
  const found: Revision[] = [];
  if (limit < 1) return found;
  const { records } = await readIndex(store);
  const newest = records.filter(({ journal }) => endpoints || journal === 'config').toReversed();
  const wanted = concerns === undefined ? newest.slice(0, limit) : newest;
  for await (const record of readRecords(store, wanted)) {
    const revision = revisionOf(record);
    const changes = revision.changes.filter(({ subject }) => concerns?.(subject) ?? true);
    if (changes.length > 0) found.push({ ...revision, changes });
    if (found.length >= limit) break;
  }
  return found;
}

async function readRevision(
  store: Store,
  revision: number,
): Promise<Revision & { readonly differences: readonly Difference[] }> {
  const index = await readIndex(store);
  const ref = index.records.find(each => each.revision === revision);
  if (ref === undefined) {
    checkRevision(revision, { ...index, oldest: index.oldest + 1 });
    throw new CalicoError(
      'not-found',
      `revision ${String(revision)} of the datastore changed no resource and no setting`,
    );
  }
  const { value: record } = await readRecords(store, [ref]).next();
  if (record === undefined) throw new Error('a record is read for each reference');
  return { ...revisionOf(record), differences: await compare(store, revision - 1, revision) };
}

async function compare(
  store: Store,
  first: number,
  second: number | undefined,
): Promise<readonly Difference[]> {
  // Backwards is the same comparison seen from the other side.
  const backwards = second !== undefined && second < first;
  const [from, to] = backwards ? [second, first] : [first, second];
  const values = await readPastValues(store, {
    from,
    to,
    relatedKeys: touched => subjectsOf(touched).flatMap(keysOfSubject),
  });
  return subjectsOf(values.touched)
    .map(subject => ({
      subject,
      before: stateOf(subject, key => values.valueAt(from, key)),
      after: stateOf(subject, key => values.valueAt(values.end, key)),
    }))
    .filter(({ before, after }) => !isSame(before, after))
    .map(({ subject, before, after }) =>
      backwards ? { subject, before: after, after: before } : { subject, before, after },
    );
}

function isSame(a: SubjectState, b: SubjectState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
