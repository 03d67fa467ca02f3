import type { Clock } from '../../base/index.js';
import type { Commit, CommitResult, Store } from '../store.js';
import { newRecordKey } from './keys.js';
import type { Journal } from './keys.js';
import { encodeRecord } from './record.js';
import type { Author, KeyChange } from './record.js';
import { isEndpoint, subjectOf } from './subject.js';
import { trimHistory } from './trim-history.js';

/** A commit, and what it does to the keys of resources and settings. */
export interface RecordedCommit {
  readonly commit: Commit;
  readonly changes: readonly KeyChange[];
}

/** Where changes are written, and as whose. */
export interface Writer {
  readonly store: Store;
  readonly author: Author;
  readonly clock: Clock;
  /** Called when the history is to be trimmed; without it the writer does so himself, which takes a while. */
  readonly trimDue?: (() => void) | undefined;
}

export interface Recorder extends Writer {
  /** Counts a record; true when whoever writes should see to the trimming. */
  readonly isTrimDue: () => boolean;
}

/** So many records a writer makes between two trims. */
const recordsBetweenTrims = 128;

/**
 * Nobody knows how many records others have made, and a command ends after its first: where a writer begins to
 * count is left to chance, so that all together trim as often as one would.
 */
export function createRecorder(writer: Writer): Recorder {
  let left = Math.floor(writer.clock.random() * recordsBetweenTrims);
  const isTrimDue = (): boolean => {
    left = left === 0 ? recordsBetweenTrims - 1 : left - 1;
    return left === recordsBetweenTrims - 1;
  };
  return { ...writer, isTrimDue };
}

/** Commits, and in the same transaction writes down what changed; a commit that changes nothing leaves no trace. */
export async function commitRecorded(
  { store, author, clock, trimDue, isTrimDue }: Recorder,
  { commit, changes }: RecordedCommit,
): Promise<CommitResult> {
  if (changes.length === 0) return await store.commit(commit);
  const time = clock.now();
  const value = encodeRecord({ ...author, time, changes });
  const result = await store.commit({
    ...commit,
    writes: [...commit.writes, { kind: 'put', key: newRecordKey(journalOf(changes), time, value), value }],
  });
  if (result.committed && isTrimDue()) {
    if (trimDue === undefined) await trimHistory(store, clock);
    else trimDue();
  }
  return result;
}

function journalOf(changes: readonly KeyChange[]): Journal {
  return changes.every(({ key }) => isEndpoint(subjectOf(key))) ? 'endpoints' : 'config';
}
