import { pathToFileURL } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../base/index.js';
import type {
  Commit,
  CommitResult,
  Condition,
  Entry,
  ListOptions,
  Listing,
  WatchChange,
  WatchEvent,
  Write,
} from '../store.js';
import { FilesReplaced } from './failures.js';
import { identityOf } from './files.js';
import { Checkpoints } from './checkpoints.js';
import type { StoreFiles } from './files.js';
import { LogSync } from './log-sync.js';
import { prefixRange } from '../prefix-range.js';
import { prepareSchema } from './schema.js';
import { prepareStatements } from './statements.js';
import type { Statements } from './statements.js';

/** How much a reader of the log takes in one transaction. */
const revisionsPerDrain = 500;
/** How many revisions one trim removes at most: it holds the write lock for about a millisecond. */
const revisionsPerTrim = 500;
/** How long a reader believes that its files are still those that the paths name; a writer always looks. */
const believedMs = 20;

/** How far a watch has read. */
export interface Position {
  /** undefined: whatever the present history is */
  readonly epoch: string | undefined;
  readonly revision: number;
}

export interface Drained {
  readonly event: WatchEvent | undefined;
  readonly position: Position;
  /** there is more to read at once */
  readonly more: boolean;
}

interface Meta {
  readonly epoch: string;
  readonly revision: number;
  readonly compacted: number;
}

interface LogRow {
  readonly revision: number;
  readonly key: string;
  readonly value: string | null;
  readonly createRevision: number;
}

export interface DatabaseOptions {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Checkpoints are made in a thread of their own, which is too much for a short command. */
  readonly longLived: boolean;
}

/**
 * One connection to the store's file. All of it but the sync is synchronous: no transaction outlives a call. A
 * lock held by another process shows as the error "busy" at once; waiting is the caller's part.
 *
 * A commit is visible at once, to all processes, and safe from everything but a power loss; `sync` brings it to
 * the disk. Whatever order commits have, a power loss keeps a first part of it.
 */
export class Database {
  readonly #files: StoreFiles;
  readonly #connection: DatabaseSync;
  readonly #identity: string;
  readonly #statements: Statements;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #log: LogSync;
  readonly #checkpoints: Checkpoints | undefined;
  /** when the files were last looked at */
  #checkedAt = -Infinity;

  constructor(files: StoreFiles, { clock, longLived }: DatabaseOptions) {
    this.#files = files;
    this.#clock = clock;
    // By URL, because only so SQLite can be told not to create the file when somebody removed it.
    const url = pathToFileURL(files.database);
    url.search = 'mode=rw';
    // Not imported: who has this module and no such store does not wait for the loading of SQLite.
    const sqlite = process.getBuiltinModule('node:sqlite');
    this.#connection = new sqlite.DatabaseSync(url, { timeout: 0 });
    try {
      setUp(this.#connection, { file: files.database, longLived });
      this.#statements = prepareStatements(this.#connection);
      this.#meta(); // from here on the log and the shared memory exist
      this.#identity = identityOf(files);
      this.#log = new LogSync(files.log, () => clock.monotonic());
      this.#checkpoints = longLived ? new Checkpoints(url.href) : undefined;
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** What is there of these keys, as of one revision and in their order. */
  get(keys: readonly string[]): readonly (Entry | undefined)[] {
    return this.#read(() => keys.map(key => entriesOf(this.#statements.get.all(key))[0]));
  }

  /** What the prefixes cover; they must be disjoint and in order. */
  list(prefixes: readonly string[], options: ListOptions): Listing {
    return this.#read(() => this.#list(prefixes, options));
  }

  commit(commit: Commit): CommitResult {
    return this.#change(() => {
      this.#deleteOverdue();
      return this.#write(commit);
    });
  }

  /** Resolves when all that was committed before is on the disk. */
  async sync(): Promise<void> {
    await this.#log.sync();
  }

  /** What happened after `position`, or the whole content when there is none or the log cannot tell. */
  drain(prefixes: readonly string[], position: Position | undefined): Drained {
    return this.#read(() => {
      const meta = this.#meta();
      const followed =
        position !== undefined &&
        (position.epoch ?? meta.epoch) === meta.epoch &&
        position.revision >= meta.compacted &&
        position.revision <= meta.revision;
      if (!followed) {
        return {
          event: { kind: 'listing', listing: this.#list(prefixes) },
          position: meta,
          more: false,
        };
      }
      const revision = Math.min(meta.revision, position.revision + revisionsPerDrain);
      const changes = this.#changes(prefixes, position.revision, revision);
      return {
        event: changes.length === 0 ? undefined : { kind: 'changes', revision, changes },
        position: { epoch: meta.epoch, revision },
        more: revision < meta.revision,
      };
    });
  }

  /** To be called every now and then. */
  checkpoint(): void {
    this.#checkpoints?.request();
  }

  /** Forgets the oldest of the revisions beyond the last `keep`. */
  trim(keep: number): void {
    const { revision, compacted } = this.#meta();
    const upTo = Math.min(revision - keep, compacted + revisionsPerTrim);
    if (upTo <= compacted) return;
    this.#change(() => {
      this.#statements.trim.run(upTo);
      this.#statements.setCompacted.run(upTo);
    });
  }

  /** A sync that is under way still ends well. */
  close(): void {
    this.#log.close();
    this.#checkpoints?.close();
    this.#connection.close();
  }

  /**
   * Deletes what has lived its time, in a revision of its own. Who asks first does it, so that nobody needs a
   * timer: a watch asks every second. While nothing can be written, because the store is locked or the disk is
   * full, what is overdue can still be seen.
   */
  #expire(): void {
    try {
      this.#change(() => this.#deleteOverdue());
    } catch {
      // Seen once more.
    }
  }

  #deleteOverdue(): void {
    const keys = this.#statements.expired.all(this.#clock.now()) as unknown as readonly { key: string }[]; // STRICT
    if (keys.length > 0) this.#write({ writes: keys.map(({ key }) => ({ kind: 'delete', key })) });
  }

  #checkFiles(): void {
    if (identityOf(this.#files) !== this.#identity) throw new FilesReplaced();
    this.#checkedAt = this.#clock.monotonic();
  }

  #read<T>(body: () => T): T {
    if (this.#clock.monotonic() - this.#checkedAt > believedMs) this.#checkFiles();
    const found = this.#inTransaction(() =>
      this.#statements.expired.get(this.#clock.now()) === undefined ? { value: body() } : undefined,
    );
    if (found !== undefined) return found.value;
    this.#expire();
    return this.#inTransaction(body);
  }

  #inTransaction<T>(body: () => T): T {
    this.#statements.beginRead.run();
    try {
      return body();
    } finally {
      this.#rollback();
    }
  }

  #change<T>(body: () => T): T {
    this.#statements.beginWrite.run();
    try {
      this.#checkFiles();
      const result = body();
      this.#statements.commit.run();
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    if (this.#connection.isTransaction) this.#statements.rollback.run();
  }

  #meta(): Meta {
    return this.#statements.meta.get() as unknown as Meta; // the table is STRICT and has always one row
  }

  #list(prefixes: readonly string[], { keysOnly = false }: ListOptions = {}): Listing {
    const { list, listFrom, listKeys, listKeysFrom } = this.#statements;
    const entries = prefixes.flatMap(prefix => {
      const { from, to } = prefixRange(prefix);
      return entriesOf(
        to === undefined
          ? (keysOnly ? listKeysFrom : listFrom).all(from)
          : (keysOnly ? listKeys : list).all(from, to),
      );
    });
    return { revision: this.#meta().revision, entries };
  }

  #changes(prefixes: readonly string[], after: number, upTo: number): readonly WatchChange[] {
    const changes: WatchChange[] = [];
    const rows = this.#statements.log.all(after, upTo) as unknown as readonly LogRow[]; // STRICT table
    for (const { revision, key, value, createRevision } of rows) {
      if (!prefixes.some(prefix => key.startsWith(prefix))) continue;
      changes.push(
        value === null
          ? { kind: 'delete', key, revision }
          : { kind: 'put', entry: { key, value, createRevision, modRevision: revision } },
      );
    }
    return changes;
  }

  #write({ conditions = [], writes }: Commit): CommitResult {
    const conflicts = conditions.filter(condition => !this.#holds(condition));
    if (conflicts.length > 0) {
      return { committed: false, conflicts: conflicts.map(each => ('key' in each ? each.key : each.prefix)) };
    }
    const current = this.#meta().revision;
    let changed = 0;
    for (const write of writes) changed += this.#apply(write, current + 1, changed);
    if (changed === 0) return { committed: true, revision: current };
    this.#statements.setRevision.run(current + 1);
    return { committed: true, revision: current + 1 };
  }

  #holds(condition: Condition): boolean {
    if ('key' in condition) {
      // Without the value, which may be spread over many pages.
      const found = entriesOf(this.#statements.getKey.all(condition.key))[0];
      return (found?.modRevision ?? 0) === condition.modRevision;
    }
    const { entries } = this.#list([condition.prefix], { keysOnly: true });
    return entries.every(({ modRevision }) => modRevision <= condition.unchangedSince);
  }

  /** The number of keys changed: 0 for a delete of what is absent. */
  #apply(write: Write, revision: number, n: number): number {
    switch (write.kind) {
      case 'put': {
        const { key, value, ttlSeconds } = write;
        const expires = ttlSeconds === undefined ? null : this.#clock.now() + ttlSeconds * 1000;
        // RETURNING gives exactly one row
        const row = this.#statements.put.get({ key, value, revision, expires }) as { createRevision: number };
        this.#statements.appendLog.run(revision, n, key, value, row.createRevision);
        return 1;
      }
      case 'delete':
        if (this.#statements.delete.run(write.key).changes === 0) return 0;
        this.#statements.appendLog.run(revision, n, write.key, null, null);
        return 1;
      case 'delete-prefix': {
        const { entries } = this.#list([write.prefix], { keysOnly: true });
        for (const [index, { key }] of entries.entries()) {
          this.#apply({ kind: 'delete', key }, revision, n + index);
        }
        return entries.length;
      }
    }
  }
}

function entriesOf(rows: readonly unknown[]): readonly Entry[] {
  return rows as readonly Entry[]; // the columns are named for the type, and the table is STRICT
}

function setUp(
  connection: DatabaseSync,
  { file, longLived }: { readonly file: string; readonly longLived: boolean },
): void {
  if (Object.values(connection.prepare('PRAGMA journal_mode').get() ?? {})[0] !== 'wal') {
    connection.exec('PRAGMA journal_mode = WAL');
  }
  // SQLite itself syncs only what it must never lose the order of; a commit is synced by LogSync.
  connection.exec('PRAGMA synchronous = NORMAL');
  connection.exec('PRAGMA journal_size_limit = 8388608');
  // More than the thread leaves between two checkpoints: for when commits give it no pause.
  if (longLived) connection.exec('PRAGMA wal_autocheckpoint = 4000');
  prepareSchema(connection, file);
}
