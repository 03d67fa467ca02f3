import { CalicoError, isCalicoError, systemClock } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import { checkCommit } from '../check-commit.js';
import { Lookups } from '../lookups.js';
import { disjointPrefixes } from '../prefix-range.js';
import type {
  Commit,
  CommitResult,
  Entry,
  ListOptions,
  Listing,
  Store,
  WatchEvent,
  WatchOptions,
} from '../store.js';
import { Bell } from './bell.js';
import { Database } from './database.js';
import type { Position } from './database.js';
import { FilesReplaced, isBusy, keepsConnection, storeFailure } from './failures.js';
import { createStoreFiles, storeFiles } from './files.js';
import type { StoreFiles } from './files.js';

export interface SqliteStoreOptions {
  /** The store's own directory; made when it is missing. */
  readonly directory: string;
  /** `full` (default) keeps every acknowledged commit over a power loss; `normal` may lose the last ones. */
  readonly synchronous?: 'full' | 'normal';
  /** How many revisions a watch may lag behind before it has to list again. */
  readonly keepRevisions?: number;
  /** How long to wait for the lock of another process. */
  readonly busyTimeoutMs?: number;
  /** How often a watch looks by itself, for commits whose process died before it rang the bell. */
  readonly safetyMs?: number;
  /** For a process that commits for days: what keeps the files small is done in another thread. */
  readonly longLived?: boolean;
  readonly clock?: Clock;
}

/** Every so many revisions somebody trims the log, and moves into the database what is in that of SQLite. */
const revisionsBetweenTrims = 100;

/** Opens the store in a directory, and makes it when it is missing; several processes may share it. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const files = storeFiles(options.directory);
  try {
    createStoreFiles(files);
  } catch (error) {
    throw storeFailure(error, files);
  }
  const store = new SqliteStore(files, options);
  try {
    await store.get('/'); // whatever is wrong with the file shows now
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class SqliteStore implements Store {
  readonly #files: StoreFiles;
  readonly #synchronous: 'full' | 'normal';
  readonly #longLived: boolean;
  readonly #keepRevisions: number;
  readonly #busyTimeoutMs: number;
  readonly #clock: Clock;
  readonly #bell: Bell;
  readonly #lookups = new Lookups(async keys => await this.#attempt(database => database.get(keys)));
  readonly #closing = new AbortController();
  #database: Database | undefined;
  /** Counts the connections: after a new one nothing is known about the history of the file. */
  #generation = 0;

  constructor(files: StoreFiles, options: SqliteStoreOptions) {
    this.#files = files;
    this.#synchronous = options.synchronous ?? 'full';
    this.#longLived = options.longLived ?? false;
    this.#keepRevisions = options.keepRevisions ?? 20_000;
    this.#busyTimeoutMs = options.busyTimeoutMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
    this.#bell = new Bell(files, this.#clock, options.safetyMs ?? 1000);
  }

  async get(key: string): Promise<Entry | undefined> {
    return await this.#lookups.get(key);
  }

  async list(prefix: string | readonly string[], options: ListOptions = {}): Promise<Listing> {
    const prefixes = disjointPrefixes(prefix);
    return await this.#attempt(database => database.list(prefixes, options));
  }

  async commit(commit: Commit): Promise<CommitResult> {
    checkCommit(commit);
    const { result, synced } = await this.#attempt(database => {
      const done = database.commit(commit);
      if (!done.committed) return { result: done, synced: undefined };
      this.#bell.ring();
      // Begun before anything else can happen to the connection; what the trim does is in nobody's way.
      const onDisk = commit.durable === false ? undefined : this.#sync(database);
      if (done.revision % revisionsBetweenTrims === 0) {
        this.#trim(database);
        database.checkpoint();
      }
      return { result: done, synced: onDisk };
    });
    await synced;
    return result;
  }

  async flush(): Promise<void> {
    const { synced } = await this.#attempt(database => ({ synced: this.#sync(database) }));
    await synced;
  }

  async *watch(
    prefix: string | readonly string[],
    { afterRevision, signal }: WatchOptions = {},
  ): AsyncGenerator<WatchEvent, void> {
    const prefixes = disjointPrefixes(prefix);
    const ended = (): boolean => this.#closing.signal.aborted || signal?.aborted === true;
    // Listening before the first look, so that no commit falls between the two.
    const listener = this.#bell.listen();
    const wake = (): void => listener.wake();
    this.#closing.signal.addEventListener('abort', wake);
    signal?.addEventListener('abort', wake);
    try {
      yield* this.#follow({ prefixes, afterRevision, ended, rest: async () => await listener.wait() });
    } finally {
      this.#closing.signal.removeEventListener('abort', wake);
      signal?.removeEventListener('abort', wake);
      listener.close();
    }
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#disconnect();
    return Promise.resolve();
  }

  async *#follow({ prefixes, afterRevision, ended, rest }: Following): AsyncGenerator<WatchEvent, void> {
    let position: Position | undefined =
      afterRevision === undefined ? undefined : { epoch: undefined, revision: afterRevision };
    let generation = this.#generation;
    while (!ended()) {
      try {
        const { drained, connection } = await this.#attempt(database => ({
          drained: database.drain(prefixes, generation === this.#generation ? position : undefined),
          connection: this.#generation,
        }));
        generation = connection;
        position = drained.position;
        if (drained.event !== undefined && !ended()) yield drained.event;
        if (drained.more) await process.getBuiltinModule('node:timers/promises').setImmediate();
        else if (!ended()) await rest();
      } catch (error) {
        if (ended()) return;
        if (!isCalicoError(error, 'unavailable', 'exhausted')) throw error;
        await rest(); // the safety wake is the back-off
      }
    }
  }

  /** Waits out the locks of other processes, and opens the file again when it was replaced. */
  async #attempt<T>(operation: (database: Database) => T): Promise<T> {
    const started = this.#clock.monotonic();
    for (;;) {
      try {
        return operation(this.#connected());
      } catch (error) {
        if (!keepsConnection(error)) this.#disconnect();
        const late = this.#clock.monotonic() - started > this.#busyTimeoutMs;
        if (late || !(isBusy(error) || error instanceof FilesReplaced)) {
          throw storeFailure(error, this.#files);
        }
      }
      // SQLite's own waiting would block the event loop and starves the unlucky. Not the clock's sleep: the
      // process has to stay alive until its commit is through.
      await process.getBuiltinModule('node:timers/promises').setTimeout(1 + this.#clock.random() * 7);
    }
  }

  #connected(): Database {
    if (this.#closing.signal.aborted) {
      throw new CalicoError('unavailable', `datastore ${this.#files.database}: is closed`);
    }
    if (this.#database === undefined) {
      this.#database = new Database(this.#files, { clock: this.#clock, longLived: this.#longLived });
      this.#generation += 1;
    }
    return this.#database;
  }

  #disconnect(): void {
    try {
      this.#database?.close();
    } finally {
      this.#database = undefined;
    }
  }

  /** Never throws at once: the commit before it is made. */
  async #sync(database: Database): Promise<void> {
    if (this.#synchronous === 'normal') return;
    try {
      await database.sync();
    } catch (error) {
      throw storeFailure(error, this.#files);
    }
  }

  #trim(database: Database): void {
    try {
      database.trim(this.#keepRevisions);
    } catch {
      // Locked, or the disk is full: the next one will do it.
    }
  }
}

interface Following {
  readonly prefixes: readonly string[];
  readonly afterRevision: number | undefined;
  readonly ended: () => boolean;
  readonly rest: () => Promise<void>;
}
