import type { Entry } from '../store.js';
import { maxOperations } from './limits.js';
import { bytesOf, entryOf } from './messages.js';
import type { KeyValue } from './rpc_pb.js';
import type { Servers } from './servers.js';

interface Lookup {
  readonly key: Uint8Array;
  readonly resolve: (found: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Looks keys up. What is asked together travels together: planning a large change reads thousands of keys, and
 * calls of their own would cost more than all else.
 */
export class Lookups {
  readonly #servers: Servers;
  #waiting: Lookup[] = [];

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  async get(key: string): Promise<Entry | undefined> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ key: bytesOf(key), resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < waiting.length; start += maxOperations) {
      const batch = waiting.slice(start, start + maxOperations);
      this.#find(batch.map(({ key }) => key)).then(
        found => {
          for (const [index, { resolve }] of batch.entries()) {
            const kv = found[index];
            resolve(kv && entryOf(kv));
          }
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      );
    }
  }

  async #find(keys: readonly Uint8Array[]): Promise<readonly (KeyValue | undefined)[]> {
    const [only] = keys;
    if (keys.length === 1 && only !== undefined) {
      const { kvs } = await this.#servers.read(
        async ({ kv }, options) => await kv.range({ key: only }, options),
      );
      return kvs;
    }
    const success = keys.map(key => ({ request: { case: 'requestRange', value: { key } } }) as const);
    const { responses } = await this.#servers.read(
      async ({ kv }, options) => await kv.txn({ success }, options),
    );
    return responses.map(({ response }) =>
      response.case === 'responseRange' ? response.value.kvs[0] : undefined,
    );
  }
}
