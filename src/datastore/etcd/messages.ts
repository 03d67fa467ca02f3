import type { MessageInitShape } from '@bufbuild/protobuf';
import { CalicoError } from '../../base/index.js';
import { historyPrefix } from '../history/keys.js';
import { prefixRange } from '../prefix-range.js';
import type { Commit, Condition, Entry, WatchChange, Write } from '../store.js';
import { tooLarge } from './failures.js';
import type { Leases } from './leases.js';
import { maxBytes, maxOperations } from './limits.js';
import type {
  Event,
  KeyValue,
  RequestOpSchema,
  ResponseHeader,
  TxnRequestSchema,
  TxnResponse,
} from './rpc_pb.js';

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
export function transactionOf(
  { conditions = [], writes }: Commit,
  leases: Leases,
): MessageInitShape<typeof TxnRequestSchema> {
  const recorded = writes.some(write => write.kind === 'put' && write.key.startsWith(historyPrefix)) ? 1 : 0;
  const keys = Math.max(conditions.length, writes.length - recorded);
  if (Math.max(keys, writes.length) > maxOperations) {
    const what = `${String(keys)} keys${recorded === 1 ? ' and its entry in the history' : ''}`;
    throw tooLarge(`a change of ${what}; etcd takes ${String(maxOperations)}`);
  }
  const ranges = conditions.map(rangeOf);
  const bytes =
    sum(writes.map(sizeOf)) +
    sum(ranges.map(({ key, rangeEnd }) => key.byteLength + (rangeEnd?.length ?? 0)));
  if (bytes > maxBytes) {
    throw tooLarge(`a change of ${megabytes(bytes)} MB; etcd takes ${megabytes(maxBytes)} MB`);
  }
  return {
    compare: conditions.map((condition, index) => ({
      target: 2,
      ...(ranges[index] ?? { key: zero }),
      ...('key' in condition
        ? { result: 0, modRevision: BigInt(condition.modRevision) }
        : { result: 2, modRevision: BigInt(condition.unchangedSince + 1) }),
    })),
    success: writes.map(write => ({ request: operationOf(write, leases) })),
    failure: conditions.map((condition, index) => ({
      request: {
        case: 'requestRange',
        value: {
          ...(ranges[index] ?? { key: zero }),
          keysOnly: true,
          limit: 1n,
          minModRevision: 'key' in condition ? 0n : BigInt(condition.unchangedSince + 1),
        },
      },
    })),
  };
}

type Operation = NonNullable<MessageInitShape<typeof RequestOpSchema>['request']>;

function operationOf(write: Write, leases: Leases): Operation {
  switch (write.kind) {
    case 'put': {
      const lease = leases.get(write.ttlSeconds ?? 0) ?? 0n;
      return {
        case: 'requestPut',
        value: { key: bytesOf(write.key), value: bytesOf(write.value), lease },
      };
    }
    case 'delete':
      return { case: 'requestDeleteRange', value: { key: bytesOf(write.key) } };
    case 'delete-prefix':
      return { case: 'requestDeleteRange', value: byteRange(write.prefix) };
  }
}

/** A key alone must have no end at all: an empty one would be every key from there on. */
function rangeOf(condition: Condition): { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array } {
  return 'key' in condition ? { key: bytesOf(condition.key) } : byteRange(condition.prefix);
}

/** In bytes, as far as the limit of etcd counts it. */
function sizeOf(write: Write): number {
  if (write.kind === 'delete-prefix') return Buffer.byteLength(write.prefix);
  return Buffer.byteLength(write.key) + (write.kind === 'put' ? Buffer.byteLength(write.value) : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** The keys and prefixes that are not as the conditions said. */
export function conflictsOf(conditions: readonly Condition[], { responses }: TxnResponse): readonly string[] {
  return conditions.flatMap((condition, index) => {
    const response = responses[index]?.response;
    const [found] = response?.case === 'responseRange' ? response.value.kvs : [];
    if ('prefix' in condition) return found === undefined ? [] : [condition.prefix];
    return numberOf(found?.modRevision ?? 0n) === condition.modRevision ? [] : [condition.key];
  });
}
