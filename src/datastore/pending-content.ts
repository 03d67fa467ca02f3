import { hostSubtree } from './codec/node.js';
import type { Commit, Entry, Store, Write } from './store.js';

/**
 * A part of the store as it was read, and what one commit shall make of it. The commit succeeds only if
 * nothing that was read has changed, so it may decide by what it sees here.
 */
export class PendingContent {
  readonly #read: ReadonlyMap<string, Entry | undefined>;
  readonly #changed = new Map<string, string | undefined>();
  readonly #subtrees: ReadonlyMap<string, readonly Entry[]>;

  private constructor(
    read: ReadonlyMap<string, Entry | undefined>,
    subtrees: ReadonlyMap<string, readonly Entry[]>,
  ) {
    this.#read = read;
    this.#subtrees = subtrees;
  }

  /** Reads these keys, and all that felix keeps of these hosts. */
  static async read(
    store: Store,
    { keys, hosts }: { readonly keys: ReadonlySet<string>; readonly hosts: ReadonlySet<string> },
  ): Promise<PendingContent> {
    const [entries, subtrees] = await Promise.all([
      Promise.all(Array.from(keys, async key => [key, await store.get(key)] as const)),
      Promise.all(
        Array.from(hosts, async host => [host, (await store.list(hostSubtree(host))).entries] as const),
      ),
    ]);
    return new PendingContent(new Map(entries), new Map(subtrees));
  }

  get(key: string): string | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#read.get(key)?.value;
  }

  /** undefined removes the key. */
  set(key: string, value: string | undefined): void {
    this.#changed.set(key, value);
  }

  /** Removes all that felix keeps of a host, also what this commit would have put there. */
  removeSubtree(host: string): void {
    const prefix = hostSubtree(host);
    for (const { key } of this.#subtrees.get(host) ?? []) this.#changed.set(key, undefined);
    for (const key of this.#changed.keys()) if (key.startsWith(prefix)) this.#changed.set(key, undefined);
  }

  /** What really changes, under the condition that all that was read by its key is as it was. */
  toCommit(): Commit {
    const writes: Write[] = [];
    for (const [key, value] of this.#changed) {
      if (value === undefined) {
        // A key of a subtree was not read by itself, but was there.
        if (!this.#read.has(key) || this.#read.get(key) !== undefined) writes.push({ kind: 'delete', key });
      } else if (this.#read.get(key)?.value !== value) writes.push({ kind: 'put', key, value });
    }
    const conditions = Array.from(this.#read, ([key, entry]) => ({
      key,
      modRevision: entry?.modRevision ?? 0,
    }));
    return { conditions, writes };
  }
}
