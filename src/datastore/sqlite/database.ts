import { pathToFileURL } from 'node:url';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
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
import type { StoreFiles } from './files.js';
import { prefixRange } from '../prefix-range.js';
import { prepareSchema } from './schema.js';

/** How much a reader of the log takes in one transaction. */
const revisionsPerDrain = 500;
/** How many revisions one trim removes at most: it holds the write lock for about a millisecond. */
const revisionsPerTrim = 500;

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
  readonly synchronous: 'full' | 'normal';
  /** Unix time in ms */
  readonly now: () => number;
}

/**
 * One connection to the store's file. All of it is synchronous: no transaction outlives a call. A lock held
 * by another process shows as the error "busy" at once; waiting is the caller's part.
 */
export class Database {
  readonly #files: StoreFiles;
  readonly #connection: DatabaseSync;
  readonly #identity: string;
  readonly #statements: Statements;
  readonly #now: () => number;

  constructor(files: StoreFiles, { synchronous, now }: DatabaseOptions) {
    this.#files = files;
    this.#now = now;
    // By URL, because only so SQLite can be told not to create the file when somebody removed it.
    const url = pathToFileURL(files.database);
    url.search = 'mode=rw';
    // Not imported: who has this module and no such store does not wait for the loading of SQLite.
    const sqlite = process.getBuiltinModule('node:sqlite');
    this.#connection = new sqlite.DatabaseSync(url, { timeout: 0 });
    try {
      setUp(this.#connection, synchronous, files.database);
      this.#statements = prepareStatements(this.#connection);
      this.#meta(); // from here on the log and the shared memory exist
      this.#identity = identityOf(files);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  get(key: string): Entry | undefined {
    this.#checkFiles();
    this.#expire();
    return entriesOf(this.#statements.get.all(key))[0];
  }

  /** What the prefixes cover; they must be disjoint and in order. */
  list(prefixes: readonly string[], options: ListOptions): Listing {
    return this.#read(() => this.#list(prefixes, options));
  }

  commit(commit: Commit): CommitResult {
    this.#expire();
    this.#statements.beginWrite.run();
    try {
      this.#checkFiles();
      const result = this.#write(commit);
      this.#statements.commit.run();
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
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

  /** Forgets the oldest of the revisions beyond the last `keep`. */
  trim(keep: number): void {
    const { revision, compacted } = this.#meta();
    const upTo = Math.min(revision - keep, compacted + revisionsPerTrim);
    if (upTo <= compacted) return;
    this.#statements.beginWrite.run();
    try {
      this.#statements.trim.run(upTo);
      this.#statements.setCompacted.run(upTo);
      this.#statements.commit.run();
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * Deletes what has lived its time, in a revision of its own. Who asks first does it, so that nobody needs a
   * timer: a watch asks every second. While nothing can be written, because the store is locked or the disk is
   * full, what is overdue can still be seen.
   */
  #expire(): void {
    const now = this.#now();
    if (this.#statements.expired.get(now) === undefined) return;
    try {
      this.#statements.beginWrite.run();
      const keys = this.#statements.expired.all(now) as unknown as readonly { readonly key: string }[]; // STRICT
      this.#write({ writes: keys.map(({ key }) => ({ kind: 'delete', key })) });
      this.#statements.commit.run();
    } catch {
      this.#rollback();
    }
  }

  #checkFiles(): void {
    if (identityOf(this.#files) !== this.#identity) throw new FilesReplaced();
  }

  #read<T>(body: () => T): T {
    this.#checkFiles();
    this.#expire();
    this.#statements.beginRead.run();
    try {
      return body();
    } finally {
      this.#rollback();
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
        const expires = ttlSeconds === undefined ? null : this.#now() + ttlSeconds * 1000;
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

function setUp(connection: DatabaseSync, synchronous: 'full' | 'normal', file: string): void {
  if (Object.values(connection.prepare('PRAGMA journal_mode').get() ?? {})[0] !== 'wal') {
    connection.exec('PRAGMA journal_mode = WAL');
  }
  connection.exec(`PRAGMA synchronous = ${synchronous}`);
  connection.exec('PRAGMA journal_size_limit = 4194304');
  prepareSchema(connection, file);
}

type Statements = Readonly<Record<keyof typeof sql, StatementSync>>;

const keyColumns = "key, '' AS value, create_rev AS createRevision, mod_rev AS modRevision";
const columns = keyColumns.replace("'' AS value", 'value');

const sql = {
  beginRead: 'BEGIN',
  beginWrite: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  meta: 'SELECT epoch, rev AS revision, compacted FROM meta',
  setRevision: 'UPDATE meta SET rev = ?',
  setCompacted: 'UPDATE meta SET compacted = ?',
  get: `SELECT ${columns} FROM kv WHERE key = ?`,
  getKey: `SELECT ${keyColumns} FROM kv WHERE key = ?`,
  list: `SELECT ${columns} FROM kv WHERE key >= ? AND key < ? ORDER BY key`,
  listFrom: `SELECT ${columns} FROM kv WHERE key >= ? ORDER BY key`,
  listKeys: `SELECT ${keyColumns} FROM kv WHERE key >= ? AND key < ? ORDER BY key`,
  listKeysFrom: `SELECT ${keyColumns} FROM kv WHERE key >= ? ORDER BY key`,
  expired: 'SELECT key FROM kv WHERE expires <= ?',
  put: `INSERT INTO kv VALUES (:key, :value, :revision, :revision, 1, :expires) ON CONFLICT(key) DO UPDATE
    SET value = excluded.value, mod_rev = excluded.mod_rev, version = version + 1, expires = excluded.expires
    RETURNING create_rev AS createRevision`,
  delete: 'DELETE FROM kv WHERE key = ?',
  appendLog: 'INSERT INTO log VALUES (?, ?, ?, ?, ?)',
  log: `SELECT rev AS revision, key, value, create_rev AS createRevision FROM log
    WHERE rev > ? AND rev <= ? ORDER BY rev, n`,
  trim: 'DELETE FROM log WHERE rev <= ?',
} as const;

/** The statements, each prepared when it is first needed: a short command needs few of them. */
function prepareStatements(connection: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();
  const statement = (name: string, text: string): StatementSync => {
    const made = prepared.get(name) ?? connection.prepare(text);
    prepared.set(name, made);
    return made;
  };
  const getters = Object.entries(sql).map(
    ([name, text]) => [name, { get: () => statement(name, text) }] as const,
  );
  // fromEntries forgets the keys; they are those of `sql`.
  return Object.defineProperties({}, Object.fromEntries(getters)) as Statements;
}
