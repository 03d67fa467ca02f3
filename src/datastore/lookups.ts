import type { Entry } from './store.js';

/** What is there of keys, in their order. */
export type Find = (keys: readonly string[]) => Promise<readonly (Entry | undefined)[]>;

interface Lookup {
  readonly key: string;
  readonly resolve: (found: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Looks keys up. What is asked at the same moment is found together: planning a large change reads thousands of
 * keys, and calls or transactions of their own would cost more than all else.
 */
export class Lookups {
  readonly #find: Find;
  readonly #most: number;
  #waiting: Lookup[] = [];

  /** `most`: keys that are found together */
  constructor(find: Find, most = Infinity) {
    this.#find = find;
    this.#most = most;
  }

  async get(key: string): Promise<Entry | undefined> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < waiting.length; start += this.#most) {
      const batch = waiting.slice(start, start + this.#most);
      this.#find(batch.map(({ key }) => key)).then(
        found => {
          for (const [index, { resolve }] of batch.entries()) resolve(found[index]);
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      );
    }
  }
}
