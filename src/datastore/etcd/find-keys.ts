import type { Entry } from '../store.js';
import { bytesOf, entryOf } from './messages.js';
import type { Servers } from './servers.js';

/** What is there of so many keys as one transaction takes, as of one revision. */
export async function findKeys(
  servers: Servers,
  texts: readonly string[],
): Promise<readonly (Entry | undefined)[]> {
  const keys = texts.map(bytesOf);
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) {
    const { kvs } = await servers.read(async ({ kv }, options) => await kv.range({ key: only }, options));
    return kvs.map(entryOf);
  }
  const success = keys.map(key => ({ request: { case: 'requestRange', value: { key } } }) as const);
  const { responses } = await servers.read(async ({ kv }, options) => await kv.txn({ success }, options));
  return responses.map(({ response }) => {
    const found = response.case === 'responseRange' ? response.value.kvs[0] : undefined;
    return found && entryOf(found);
  });
}
