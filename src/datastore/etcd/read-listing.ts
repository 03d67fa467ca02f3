import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Entry, ListOptions, Listing } from '../store.js';
import { isCompacted } from './failures.js';
import { pageSize } from './limits.js';
import { byteRange, entryOf, revisionOf } from './messages.js';
import type { ByteRange } from './messages.js';
import type { RangeRequestSchema, RangeResponse } from './rpc_pb.js';
import type { Servers } from './servers.js';

/** How often to begin again when the history is cut while we read. */
const maxAttempts = 5;

/** Reads all under disjoint prefixes page by page, all as of the revision of the first page. */
export async function readListing(
  servers: Servers,
  prefixes: readonly string[],
  { keysOnly = false }: ListOptions = {},
): Promise<Listing> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(servers, prefixes, keysOnly);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!isCompacted(cause) || attempt === maxAttempts) throw error;
    }
  }
}

async function readOnce(servers: Servers, prefixes: readonly string[], keysOnly: boolean): Promise<Listing> {
  const entries: Entry[] = [];
  let revision = 0;
  for (const range of prefixes.length === 0 ? [nothing] : prefixes.map(byteRange)) {
    let key: Uint8Array | undefined = range.key;
    while (key !== undefined) {
      const request: MessageInitShape<typeof RangeRequestSchema> = {
        ...range,
        key,
        revision: BigInt(revision),
        limit: BigInt(pageSize),
        keysOnly,
      };
      const { header, kvs, more }: RangeResponse = await servers.read(
        async ({ kv }, options) => await kv.range(request, options),
      );
      if (revision === 0) revision = revisionOf(header);
      for (const kv of kvs) entries.push(entryOf(kv));
      const last = kvs.at(-1);
      key = more && last !== undefined ? after(last.key) : undefined;
    }
  }
  return { revision, entries };
}

/** For the revision alone. A key of one zero byte is none of ours. */
const nothing: ByteRange = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0, 0) };

/** The first key that may follow. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.byteLength + 1);
  next.set(key);
  return next;
}
