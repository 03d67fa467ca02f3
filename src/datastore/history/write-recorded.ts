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
export interface Recorder {
  readonly store: Store;
  readonly author: Author;
  readonly clock: Clock;
}

/** Every so many revisions of the store somebody trims. */
const revisionsBetweenTrims = 256;

/** Commits, and in the same transaction writes down what changed; a commit that changes nothing leaves no trace. */
export async function commitRecorded(
  { store, author, clock }: Recorder,
  { commit, changes }: RecordedCommit,
): Promise<CommitResult> {
  if (changes.length === 0) return await store.commit(commit);
  const time = clock.now();
  const value = encodeRecord({ ...author, time, changes });
  const result = await store.commit({
    ...commit,
    writes: [...commit.writes, { kind: 'put', key: newRecordKey(journalOf(changes), time, value), value }],
  });
  if (result.committed && result.revision % revisionsBetweenTrims === 0) await trimHistory(store, clock);
  return result;
}

function journalOf(changes: readonly KeyChange[]): Journal {
  return changes.every(({ key }) => isEndpoint(subjectOf(key))) ? 'endpoints' : 'config';
}
