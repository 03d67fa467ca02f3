import { CalicoError } from '../../base/index.js';
import type { Entry, Store } from '../store.js';
import { readIndex, readRecords } from './read-records.js';
import type { KeptRecord, RecordIndex } from './read-records.js';
import { isEndpoint, subjectOf } from './subject.js';

/**
 * What keys were at revisions of the past. A record tells what its keys were before it, so a key is at a
 * revision what the first record after that revision says; a key that no later record names is as it is now.
 */
export interface PastValues {
  /** `to`, or the revision that was the present */
  readonly end: number;
  /** The keys that records later than `from` and up to `to` name; those of endpoints only where they are known. */
  readonly touched: ReadonlySet<string>;
  /** from when on workload endpoints are known, where that is later than `from` */
  readonly endpointsSince: number | undefined;
  /** as it was read; undefined for an absent key */
  entryNow(key: string): Entry | undefined;
  valueAt(revision: number, key: string): string | undefined;
}

/** Refuses a revision whose state is not known. */
export function checkRevision(revision: number, index: RecordIndex): void {
  if (revision > index.revision) {
    throw new CalicoError(
      'not-found',
      `there is no revision ${String(revision)}: the newest is ${String(index.revision)}`,
    );
  }
  if (revision < index.oldest) {
    throw new CalicoError(
      'not-found',
      `revision ${String(revision)} is not in the history any more: the oldest is ${String(index.oldest)}`,
    );
  }
}

/**
 * Reads what is needed to tell all that changed between two revisions; without `to` it is the present. Others
 * may write meanwhile: what they change after the keys were looked up is undone by their own records, which are
 * read last.
 */
export async function readPastValues(
  store: Store,
  { from, to, relatedKeys }: PastQuery,
): Promise<PastValues> {
  const index = await readIndex(store);
  for (const revision of [from, to ?? from]) checkRevision(revision, index);
  const end = to ?? index.revision;
  const past = new Map([from, end].map(revision => [revision, new Map<string, string | undefined>()]));
  const endpointsSince = from < index.oldestEndpoints ? index.oldestEndpoints : undefined;
  const touched = new Set<string>();
  const note = ({ revision, changes }: KeptRecord): void => {
    for (const { key, before } of changes) {
      if (endpointsSince !== undefined && isEndpoint(subjectOf(key))) continue;
      if (revision > from && revision <= end) touched.add(key);
      for (const [at, values] of past) if (revision > at && !values.has(key)) values.set(key, before);
    }
  };
  const later = index.records.filter(({ revision }) => revision > from);
  for await (const record of readRecords(store, later)) note(record);
  const present = new Map<string, Entry | undefined>();
  const keys = new Set([...touched, ...relatedKeys(touched)]);
  await Promise.all(Array.from(keys, async key => present.set(key, await store.get(key))));
  const since = (await readIndex(store)).records.filter(({ revision }) => revision > index.revision);
  for await (const record of readRecords(store, since)) note(record);
  return {
    end,
    touched,
    endpointsSince,
    entryNow: key => present.get(key),
    valueAt: (revision, key) => {
      const values = past.get(revision);
      return values?.has(key) ? values.get(key) : present.get(key)?.value;
    },
  };
}

export interface PastQuery {
  readonly from: number;
  readonly to: number | undefined;
  /** keys to know beside those that changed: the rest of the same resources */
  readonly relatedKeys: (touched: ReadonlySet<string>) => Iterable<string>;
}
