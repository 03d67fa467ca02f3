/**
 * The contract that every datastore keeps (`test/contract/store.ts` is its proof): ordered text keys, one
 * revision counter, atomic commits over several keys, and a watch that loses nothing.
 *
 * Failures are CalicoErrors: `unavailable` (says which endpoint or file, what happened, which setting to
 * check), `unauthorized`, `exhausted` (disk full, transaction too large), `corrupt`.
 */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** the revision at which the key appeared; a key that was deleted and put again has a new one */
  readonly createRevision: number;
  /** the revision of its last change; what conditions compare */
  readonly modRevision: number;
}

/** Entries in byte order of their keys, as of one revision. */
export interface Listing {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

export type Condition =
  /** The key must be exactly as it was seen: at that modRevision, or absent for 0. */
  | { readonly key: string; readonly modRevision: number }
  /** No key that starts so was put after this revision; one that was deleted since goes unnoticed. */
  | { readonly prefix: string; readonly unchangedSince: number };

export type Write =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: string;
      /** The key goes by itself so long after its last put (a whole number, at least 1), with an event. */
      readonly ttlSeconds?: number;
    }
  /** absent is no error, and then no event */
  | { readonly kind: 'delete'; readonly key: string }
  /** all keys that start so, with an event for each; for etcd it counts as one key */
  | { readonly kind: 'delete-prefix'; readonly prefix: string };

export interface Commit {
  /** all must hold, else nothing is written */
  readonly conditions?: readonly Condition[];
  /** each key at most once, and none under a prefix that is deleted */
  readonly writes: readonly Write[];
  /**
   * false: resolves as soon as all see it, which no end of a process undoes; a power loss may, until `flush` or a
   * later commit without this has resolved.
   */
  readonly durable?: false;
}

export type CommitResult =
  | { readonly committed: true; readonly revision: number }
  /** the keys and prefixes whose condition did not hold */
  | { readonly committed: false; readonly conflicts: readonly string[] };

export type WatchChange =
  | { readonly kind: 'put'; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: string; readonly revision: number };

export type WatchEvent =
  /**
   * The whole content under the prefix: first of all events when the watch started without a revision, and
   * again whenever the store can no longer tell every change (compaction, restore, a lost connection).
   */
  | { readonly kind: 'listing'; readonly listing: Listing }
  /** Changes in order; those of one commit are never split over two batches. */
  | { readonly kind: 'changes'; readonly revision: number; readonly changes: readonly WatchChange[] };

export interface WatchOptions {
  /** Deliver what came after this revision; without it the first event is a listing. */
  readonly afterRevision?: number;
  /** Ends the watch: the iteration finishes normally. */
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  /** Leave the values out: they are empty texts. */
  readonly keysOnly?: boolean;
}

export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** All entries whose key starts with `prefix`, or with one of several: as of one revision, in key order. */
  list(prefix: string | readonly string[], options?: ListOptions): Promise<Listing>;
  /** Resolves when it is on the disk. */
  commit(commit: Commit): Promise<CommitResult>;
  /** Resolves when all that this store has committed is on the disk. */
  flush(): Promise<void>;
  /**
   * What happens under `prefix`, or under several, from now on: one stream in order of the revisions, so that
   * what one commit did under two prefixes arrives together. Transient failures of the store are waited out inside, with
   * back-off; the iteration throws only what a retry cannot mend (`unauthorized`, `corrupt`).
   */
  watch(prefix: string | readonly string[], options?: WatchOptions): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
}
