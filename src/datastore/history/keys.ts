/**
 * Where the history lies: before everything that agents watch, because etcd tells a watch all keys between the
 * first and the last of its prefixes.
 *
 *   /calico/audit/v1/<journal>/<Unix time in ms>-<bytes>-<random>   a revision, whose number is its modRevision
 *   /calico/audit/v1/trimmed/<journal>                              the newest revision that was trimmed
 *
 * There are two journals, trimmed apart: `endpoints` has the revisions that changed workload endpoints and
 * nothing else, so that containers which come and go do not push out what operators did.
 */
export const historyPrefix = '/calico/audit/v1/';

export const journals = ['config', 'endpoints'] as const;
export type Journal = (typeof journals)[number];

export function trimmedKey(journal: Journal): string {
  return `${historyPrefix}trimmed/${journal}`;
}

/** A key that nobody else has. */
export function newRecordKey(journal: Journal, time: number, text: string): string {
  const random = crypto.randomUUID().slice(0, 13);
  const bytes = String(Buffer.byteLength(text));
  return `${historyPrefix}${journal}/${String(time).padStart(13, '0')}-${bytes}-${random}`;
}

export interface RecordKey {
  readonly journal: Journal;
  /** Unix time in ms */
  readonly time: number;
  /** of the record in the store */
  readonly bytes: number;
}

/** What a key tells of its record without reading it; undefined for a key of anything else. */
export function readRecordKey(key: string): RecordKey | undefined {
  const [name = '', rest = ''] = key.slice(historyPrefix.length).split('/');
  const journal = journals.find(each => each === name);
  const [time = '', bytes = ''] = rest.split('-');
  return journal === undefined ? undefined : { journal, time: Number(time) || 0, bytes: Number(bytes) || 0 };
}
