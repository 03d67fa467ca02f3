/**
 * Where the history lies: before everything that agents watch, because etcd tells a watch all keys between the
 * first and the last of its prefixes.
 *
 *   /calico/audit/v1/record/<Unix time in ms>-<bytes>-<random>   one revision, its number is its modRevision
 *   /calico/audit/v1/trimmed                                     the newest revision that was trimmed
 */
export const historyPrefix = '/calico/audit/v1/';
export const recordPrefix = `${historyPrefix}record/`;
export const trimmedKey = `${historyPrefix}trimmed`;

/** A key that nobody else has. */
export function newRecordKey(time: number, text: string): string {
  const random = crypto.randomUUID().slice(0, 13);
  return `${recordPrefix}${String(time).padStart(13, '0')}-${String(Buffer.byteLength(text))}-${random}`;
}

/** What a key tells of its record without reading it: Unix time in ms, and bytes in the store. */
export function readRecordKey(key: string): { readonly time: number; readonly bytes: number } {
  const [time = '', bytes = ''] = key.slice(recordPrefix.length).split('-');
  return { time: Number(time) || 0, bytes: Number(bytes) || 0 };
}
