import type { MessageInitShape } from '@bufbuild/protobuf';
import { CalicoError } from '../../base/index.js';
import { prefixRange } from '../prefix-range.js';
import type { Commit, Condition, Entry, WatchChange } from '../store.js';
import { tooLarge } from './failures.js';
import { maxBytes, maxOperations } from './limits.js';
import type { Event, KeyValue, ResponseHeader, TxnRequestSchema, TxnResponse } from './rpc_pb.js';

/** Keys from `key` on and before `rangeEnd`; one zero byte in `rangeEnd` is no end. */
export interface ByteRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

const zero = Uint8Array.of(0);

/** What etcd calls the keys that start with `prefix`. */
export function byteRange(prefix: string): ByteRange {
  const { from, to } = prefixRange(prefix);
  return { key: from === '' ? zero : bytesOf(from), rangeEnd: to === undefined ? zero : bytesOf(to) };
}

/** The smallest range that covers disjoint prefixes in order; undefined for none. */
export function coveringRange(prefixes: readonly string[]): ByteRange | undefined {
  const [first] = prefixes;
  const last = prefixes.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return { key: byteRange(first).key, rangeEnd: byteRange(last).rangeEnd };
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** Revisions are 64 bits wide; a cluster needs longer than we live to pass the 53 of a number. */
export function numberOf(revision: bigint): number {
  const number = Number(revision);
  if (!Number.isSafeInteger(number)) {
    throw new CalicoError('corrupt', `datastore: revision ${String(revision)} of etcd is out of range`);
  }
  return number;
}

export function revisionOf(header: ResponseHeader | undefined): number {
  return numberOf(header?.revision ?? 0n);
}

export function entryOf({ key, value, createRevision, modRevision }: KeyValue): Entry {
  return {
    key: textOf(key),
    value: textOf(value),
    createRevision: numberOf(createRevision),
    modRevision: numberOf(modRevision),
  };
}

/** One event of a watch; undefined for what is no event of a key. */
export function changeOf({ type, kv }: Event): WatchChange | undefined {
  if (kv === undefined) return undefined;
  if (type === 0) return { kind: 'put', entry: entryOf(kv) };
  return { kind: 'delete', key: textOf(kv.key), revision: numberOf(kv.modRevision) };
}

/** The commit as a transaction that, where a condition does not hold, tells how the keys are instead. */
export function transactionOf({
  conditions = [],
  writes,
}: Commit): MessageInitShape<typeof TxnRequestSchema> {
  const operations = Math.max(conditions.length, writes.length);
  if (operations > maxOperations) {
    throw tooLarge(`a change of ${String(operations)} keys; etcd takes ${String(maxOperations)}`);
  }
  let bytes = 0;
  const encode = (text: string): Uint8Array => {
    const encoded = bytesOf(text);
    bytes += encoded.byteLength;
    return encoded;
  };
  const success = writes.map(write =>
    write.kind === 'put'
      ? ({
          request: {
            case: 'requestPut',
            value: { key: encode(write.key), value: encode(write.value) },
          },
        } as const)
      : ({ request: { case: 'requestDeleteRange', value: { key: encode(write.key) } } } as const),
  );
  const keys = conditions.map(({ key }) => encode(key));
  if (bytes > maxBytes) {
    throw tooLarge(`a change of ${megabytes(bytes)} MB; etcd takes ${megabytes(maxBytes)} MB`);
  }
  return {
    compare: conditions.map(({ modRevision }, index) => ({
      result: 0,
      target: 2,
      key: keys[index] ?? zero,
      modRevision: BigInt(modRevision),
    })),
    success,
    failure: keys.map(
      key => ({ request: { case: 'requestRange', value: { key, keysOnly: true } } }) as const,
    ),
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** The keys that are not as the conditions said. */
export function conflictsOf(conditions: readonly Condition[], { responses }: TxnResponse): readonly string[] {
  return conditions
    .filter(({ modRevision }, index) => {
      const response = responses[index]?.response;
      const [found] = response?.case === 'responseRange' ? response.value.kvs : [];
      return numberOf(found?.modRevision ?? 0n) !== modRevision;
    })
    .map(({ key }) => key);
}
