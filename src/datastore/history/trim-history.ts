import { isCalicoError } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import { settingKey } from '../codec/settings.js';
import type { Store, Write } from '../store.js';
import { journals, trimmedKey } from './keys.js';
import type { Journal } from './keys.js';
import { readJournal } from './read-records.js';
import type { RecordRef } from './read-records.js';

/** How much of each journal is kept: what is over any of the limits goes, the oldest first. */
export interface Retention {
  readonly days: number;
  readonly revisions: number;
  /** the room that all records take in the store */
  readonly megabytes: number;
}

const defaults: Retention = { days: 30, revisions: 10_000, megabytes: 200 };

/** Global settings of the datastore, so that everybody who trims keeps the same. */
const settings: { readonly [Name in keyof Retention]: string } = {
  days: settingKey({ component: 'felix', name: 'HistoryDays' }),
  revisions: settingKey({ component: 'felix', name: 'HistoryRevisions' }),
  megabytes: settingKey({ component: 'felix', name: 'HistoryMegabytes' }),
};

/** With the mark that is moved, less than etcd takes in one transaction. */
const mostAtOnce = 100;

/** What the settings say; a value that is no whole number counts as none. */
async function readRetention(store: Store): Promise<Retention> {
  const read = async (name: keyof Retention): Promise<number> => {
    const text = (await store.get(settings[name]))?.value ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : defaults[name];
  };
  const [days, revisions, megabytes] = await Promise.all([
    read('days'),
    read('revisions'),
    read('megabytes'),
  ]);
  return { days, revisions, megabytes };
}

/** How many of the oldest records go. In order of revision, even where the clocks of hosts differ. */
function countOverdue(records: readonly RecordRef[], retention: Retention, now: number): number {
  const tooOld = now - retention.days * 86_400_000;
  let bytes = 0;
  let kept = 0;
  for (const record of records.toReversed()) {
    bytes += record.bytes;
    const fits = kept < retention.revisions && bytes <= retention.megabytes * 1_000_000;
    if (!fits || record.time < tooOld) break;
    kept++;
  }
  return records.length - kept;
}

/** Forgets what is over the limits, in each journal apart. When the store fails, the next one does it. */
export async function trimHistory(store: Store, clock: Clock): Promise<void> {
  try {
    const retention = await readRetention(store);
    for (const journal of journals) await trimJournal(store, journal, { retention, now: clock.now() });
  } catch (error) {
    if (!isCalicoError(error)) throw error;
  }
}

/**
 * The records go together with the mark that says so; of several who trim at once one moves the mark, and the
 * others leave it to him.
 */
async function trimJournal(
  store: Store,
  journal: Journal,
  { retention, now }: { readonly retention: Retention; readonly now: number },
): Promise<void> {
  const key = trimmedKey(journal);
  const mark = await store.get(key);
  let modRevision = mark?.modRevision ?? 0;
  const records = await readJournal(store, journal, Number(mark?.value ?? 0) || 0);
  const overdue = records.slice(0, countOverdue(records, retention, now));
  for (let start = 0; start < overdue.length; start += mostAtOnce) {
    const part = overdue.slice(start, start + mostAtOnce);
    const value = String(part.at(-1)?.revision);
    const result = await store.commit({
      conditions: [{ key, modRevision }],
      writes: [
        ...part.map((each): Write => ({ kind: 'delete', key: each.key })),
        { kind: 'put', key, value },
      ],
    });
    if (!result.committed) return;
    modRevision = result.revision;
  }
}
