import { hostSubtree } from './codec/node.js';
import type { KeyChange } from './history/record.js';
import type { RecordedCommit } from './history/write-recorded.js';
import type { Entry, Listing, Store, Write } from './store.js';

/**
 * A part of the store as it was read, and what one commit shall make of it. The commit succeeds only if
 * nothing that was read has changed, so it may decide by what it sees here.
 */
export class PendingContent {
  readonly #read: ReadonlyMap<string, Entry | undefined>;
  readonly #subtrees: ReadonlyMap<string, Listing>;
  readonly #changed = new Map<string, string | undefined>();
  readonly #removed = new Set<string>();

  private constructor(read: ReadonlyMap<string, Entry | undefined>, subtrees: ReadonlyMap<string, Listing>) {
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
        Array.from(hosts, hostSubtree).map(async prefix => [prefix, await store.list(prefix)] as const),
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
    this.#removed.add(prefix);
    for (const { key } of this.#subtrees.get(prefix)?.entries ?? []) this.#changed.set(key, undefined);
    for (const key of this.#changed.keys()) if (key.startsWith(prefix)) this.#changed.set(key, undefined);
  }

  /** What really changes, under the condition that all that was read is as it was. */
  toCommit(): RecordedCommit {
    const before = new Map<string, string | undefined>();
    for (const { entries } of this.#subtrees.values())
      for (const { key, value } of entries) before.set(key, value);
    for (const [key, entry] of this.#read) before.set(key, entry?.value);
    const changes: KeyChange[] = [];
    const writes: Write[] = [];
    const prefixes = this.#emptiedPrefixes();
    for (const [key, value] of this.#changed) {
      const old = before.get(key);
      if (old === value) continue;
      changes.push({ key, before: old, present: value !== undefined });
      if (value !== undefined) writes.push({ kind: 'put', key, value });
      else if (!prefixes.some(prefix => key.startsWith(prefix))) writes.push({ kind: 'delete', key });
    }
    for (const prefix of prefixes) writes.push({ kind: 'delete-prefix', prefix });
    const conditions = [
      ...Array.from(this.#read, ([key, entry]) => ({ key, modRevision: entry?.modRevision ?? 0 })),
      ...Array.from(this.#removed, prefix => ({
        prefix,
        unchangedSince: this.#subtrees.get(prefix)?.revision ?? 0,
      })),
    ];
    return { commit: { conditions, writes }, changes };
  }

  /** The subtrees that this commit leaves empty: what it puts into one makes it delete key by key. */
  #emptiedPrefixes(): readonly string[] {
    return [...this.#removed].filter(
      prefix =>
        !this.#changed.entries().some(([key, value]) => value !== undefined && key.startsWith(prefix)),
    );
  }
}
