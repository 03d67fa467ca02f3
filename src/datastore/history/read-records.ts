import { CalicoError } from '../../base/index.js';
import type { Entry, Store } from '../store.js';
import { historyPrefix, readRecordKey, trimmedKey } from './keys.js';
import type { Journal, RecordKey } from './keys.js';
import { decodeRecord } from './record.js';
import type { ChangeRecord } from './record.js';

/** A revision that is kept, without what is in it. */
export interface RecordRef extends RecordKey {
  readonly revision: number;
  readonly key: string;
}

export interface RecordIndex {
  /** of the store: all records up to here are in the index */
  readonly revision: number;
  /** the first revision whose state is known, but for that of workload endpoints */
  readonly oldest: number;
  /** the first revision at which workload endpoints are known as well */
  readonly oldestEndpoints: number;
  /** by revision, the oldest first */
  readonly records: readonly RecordRef[];
}

/** Which revisions are kept. */
export async function readIndex(store: Store): Promise<RecordIndex> {
  const { revision, entries } = await store.list(historyPrefix, { keysOnly: true });
  // Read after the keys: what somebody trims meanwhile is not counted as kept.
  const trimmed = {
    config: await readMark(store, 'config'),
    endpoints: await readMark(store, 'endpoints'),
  };
  const records = recordsOf(entries, trimmed);
  const first = records[0]?.revision ?? revision + 1;
  const oldest = trimmed.config > 0 ? trimmed.config : first - 1;
  return { revision, records, oldest, oldestEndpoints: Math.max(oldest, trimmed.endpoints) };
}

/** The records of one journal that are later than the mark up to which it is trimmed, by revision. */
export async function readJournal(
  store: Store,
  journal: Journal,
  mark: number,
): Promise<readonly RecordRef[]> {
  const { entries } = await store.list(`${historyPrefix}${journal}/`, { keysOnly: true });
  return recordsOf(entries, { config: mark, endpoints: mark });
}

function recordsOf(
  entries: readonly Entry[],
  trimmed: { readonly [J in Journal]: number },
): readonly RecordRef[] {
  return entries
    .flatMap(({ key, modRevision }) => {
      const known = readRecordKey(key);
      return known !== undefined && modRevision > trimmed[known.journal]
        ? [{ revision: modRevision, key, ...known }]
        : [];
    })
    .sort((a, b) => a.revision - b.revision);
}

/** The newest revision that was trimmed from a journal; 0 for none. */
async function readMark(store: Store, journal: Journal): Promise<number> {
  return Number((await store.get(trimmedKey(journal)))?.value ?? 0) || 0;
}

export interface KeptRecord extends ChangeRecord {
  readonly revision: number;
}

/** How much of the store is read at once. */
const mostAtOnce = 100;
const bytesAtOnce = 4_000_000;

/** Reads records in the order of the references, never all at once: there may be thousands, and large ones. */
export async function* readRecords(
  store: Store,
  refs: readonly RecordRef[],
): AsyncGenerator<KeptRecord, void> {
  for (let start = 0; start < refs.length;) {
    let end = start;
    for (let bytes = 0; end < refs.length && end - start < mostAtOnce && bytes < bytesAtOnce; end++) {
      bytes += refs[end]?.bytes ?? 0;
    }
    const part = refs.slice(start, end);
    const entries = await Promise.all(part.map(async ({ key }) => await store.get(key)));
    for (const [index, { revision }] of part.entries()) {
      const entry = entries[index];
      if (entry === undefined) {
        throw new CalicoError(
          'conflict',
          `revision ${String(revision)} was trimmed from the history while it was read; try again`,
        );
      }
      yield { revision, ...decodeRecord(entry.value, revision) };
    }
    start = end;
  }
}
