import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import { openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { openSqliteStore } from '../../src/datastore/sqlite/sqlite-store.js';
import type { SqliteStoreOptions } from '../../src/datastore/sqlite/sqlite-store.js';
import { follow, revisionsOf } from './support/follow.js';
import { buildWorkerProgram } from './support/start-worker.js';
import type { WorkerProgram } from './support/start-worker.js';

describe('the sqlite store', () => {
  let parent: string;
  let directory: string;
  let file: string;
  let opened: (Store | DatabaseSync)[];
  let workers: WorkerProgram;

  beforeAll(async () => {
    workers = await buildWorkerProgram();
  });
  afterAll(async () => {
    await workers.dispose();
  });
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'calico-faults-'));
    directory = join(parent, 'store');
    file = join(directory, 'store.db');
    opened = [];
  });
  afterEach(async () => {
    for (const each of opened) await each.close();
    await rm(parent, { recursive: true });
  });

  const open = async (options: Partial<SqliteStoreOptions> = {}): Promise<Store> => {
    const store = await openSqliteStore({ directory, safetyMs: 100, ...options });
    opened.push(store);
    return store;
  };
  /** A connection past the store, as another program would have it. */
  const openRaw = (): DatabaseSync => {
    const raw = new DatabaseSync(file);
    opened.push(raw);
    return raw;
  };
  const put = async (store: Store, key: string, value = 'x'): Promise<number> => {
    const result = await store.commit({ writes: [{ kind: 'put', key, value }] });
    if (!result.committed) throw new Error('not committed');
    return result.revision;
  };

  test('tells of a key that is overdue as long as nobody can take it away', async () => {
    const temporary = { kind: 'put', key: 'a', value: 'x', ttlSeconds: 60 } as const;
    let passed = 0;
    const later = await open({ clock: { ...systemClock, now: () => systemClock.now() + passed } });
    await later.commit({ writes: [temporary] });
    passed = 61_000;
    const raw = openRaw();
    raw.exec('BEGIN IMMEDIATE');
    expect(await later.get('a')).toMatchObject({ value: 'x' });
    raw.exec('ROLLBACK');
    expect(await later.get('a')).toBeUndefined();
    expect((await later.list('')).entries).toEqual([]);
  });

  describe('files', () => {
    test('are for their owner only', async () => {
      await put(await open(), 'a');
      for (const path of [directory, join(directory, 'bell')]) {
        expect((await stat(path)).mode & 0o777).toBe(0o700);
      }
      for (const name of ['store.db', 'store.db-wal', 'store.db-shm', join('bell', 'bell')]) {
        expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
      }
    });

    test('are made once by many processes that start together', async () => {
      const config = { type: 'sqlite', directory } as const;
      const together = [1, 2, 3, 4, 5].map(() =>
        workers.start({ kind: 'count', config, key: 'c', times: 20 }),
      );
      expect(await Promise.all(together.map(async worker => await worker.ended))).toEqual([0, 0, 0, 0, 0]);
      expect(together.flatMap(worker => worker.failures)).toEqual([]);
      expect(await (await open()).get('c')).toMatchObject({ value: '100' });
    });

    test('of other types of datastore are refused in one line', async () => {
      await expect(openStore({ type: 'kubernetes' })).rejects.toMatchObject({
        code: 'unsupported',
        message: 'datastore type kubernetes is not supported yet; set DATASTORE_TYPE=sqlite or etcdv3',
      });
    });

    test.for([
      [
        'a text file',
        async () => await writeFile(file, 'not a database, but long enough to have a header\n'.repeat(9)),
      ],
      [
        'a database of another program',
        () => {
          openRaw().exec('CREATE TABLE theirs(a)');
        },
      ],
    ] as const)(
      'that are %s are refused as corrupt, naming the file and the setting',
      async ([, prepare]) => {
        await mkdir(directory);
        await prepare();
        await expect(open()).rejects.toMatchObject({
          code: 'corrupt',
          message: expect.stringMatching(new RegExp(`^datastore ${file}: .*CALICO_STATE_DIR`)),
        });
      },
    );

    test('of a later format are left alone', async () => {
      await open();
      openRaw().exec('PRAGMA user_version = 99');
      await expect(open()).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(/99/),
      });
    });

    test('of the first format are brought up to date, with what is in them', async () => {
      const old = await openSqliteStore({ directory });
      await put(old, 'a', 'kept');
      await old.close();
      openRaw().exec('DROP INDEX expiring; ALTER TABLE kv DROP COLUMN expires; PRAGMA user_version = 1');
      const store = await open();
      expect(await store.get('a')).toMatchObject({ value: 'kept' });
      const temporary = { kind: 'put', key: 'b', value: 'x', ttlSeconds: 60 } as const;
      expect((await store.commit({ writes: [temporary] })).committed).toBe(true);
      expect((await (await open()).list('')).entries).toHaveLength(2);
    });

    test('that are empty are a new store', async () => {
      await mkdir(directory);
      await writeFile(file, '');
      expect((await (await open()).list('')).entries).toEqual([]);
    });

    test.skipIf(process.getuid?.() !== 0)('of somebody else are refused as unauthorized', async () => {
      await put(await open(), 'a');
      await chmod(parent, 0o755);
      const config = { type: 'sqlite', directory } as const;
      process.seteuid?.(65534);
      try {
        await expect(openStore(config)).rejects.toMatchObject({
          code: 'unauthorized',
          message: expect.stringMatching(/permission denied; .*CALICO_STATE_DIR/),
        });
      } finally {
        process.seteuid?.(0);
      }
    });
  });

  test('of an agent moves its log into the database while commits go on, and the log never grows without end', async () => {
    const store = await open({ longLived: true, synchronous: 'normal', keepRevisions: 50 });
    const value = 'x'.repeat(20_000);
    const size = async (path: string): Promise<number> => (await stat(path)).size;
    const before = await size(file);
    // 5 MB of log: SQLite itself would do nothing yet.
    for (let written = 0; written < 105; written++) await put(store, `key/${String(written % 10)}`, value);
    await expect.poll(async () => await size(file), { timeout: 20_000 }).toBeGreaterThan(before);
    // 50 kB each: the thread does not come to the end while there is no pause, but then SQLite does.
    for (let more = 0; more < 1500; more++) await put(store, `key/${String(more % 10)}`, value);
    expect(await size(`${file}-wal`)).toBeLessThan(50_000_000);
    await store.close();
    const again = await open();
    expect((await again.list('key/')).entries.every(entry => entry.value === value)).toBe(true);
    expect(openRaw().prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });

  describe('a full disk', () => {
    const onSmallDisk = (after: string): readonly [string, ...string[]] => [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=3m none "$0" && ${after} exec "$@"`,
      directory,
    ];

    test('refuses the write as exhausted, loses nothing, and can still be read', async () => {
      await mkdir(directory);
      const worker = workers.start({ kind: 'fill', config: { type: 'sqlite', directory } }, onSmallDisk(''));
      expect(await worker.ended).toBe(0);
      expect(worker.failures).toMatchObject([
        { code: 'exhausted', message: expect.stringMatching(/the disk is full.*CALICO_STATE_DIR/) },
      ]);
      expect(worker.reports).toMatchObject([{ number: 0 }]);
    });

    test('a read-only file system is unavailable, with what to check', async () => {
      await mkdir(directory);
      const readOnly = onSmallDisk('mount -o remount,ro "$0" &&');
      const worker = workers.start({ kind: 'fill', config: { type: 'sqlite', directory } }, readOnly);
      expect(await worker.ended).toBe(0);
      expect(worker.failures).toMatchObject([
        { code: 'unavailable', message: expect.stringMatching(/read-only.*CALICO_STATE_DIR/) },
      ]);
    });
  });

  describe('a lock that another process holds', () => {
    test('delays a commit, and not the program', async () => {
      const store = await open();
      const raw = openRaw();
      raw.exec('BEGIN IMMEDIATE');
      let committed = false;
      const commit = put(store, 'a').finally(() => {
        committed = true;
      });
      await delay(50);
      expect(committed).toBe(false);
      expect(await store.get('a')).toBeUndefined();
      raw.exec('COMMIT');
      await commit;
      expect(await store.get('a')).toBeDefined();
    });

    test('ends a commit as unavailable when it is not given up in time', async () => {
      const store = await open({ busyTimeoutMs: 100 });
      const raw = openRaw();
      raw.exec('BEGIN IMMEDIATE');
      await expect(put(store, 'a')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/locked by another process/),
      });
      raw.exec('ROLLBACK');
      await put(store, 'a');
    });
  });

  describe('files that are removed or replaced under an open store', () => {
    test('the shared memory: nothing that was acknowledged is lost, also with a second process', async () => {
      const store = await open();
      for (let number = 0; number < 10; number++) await put(store, `a/${String(number)}`);
      await rm(`${file}-shm`);
      for (let number = 0; number < 10; number++) await put(store, `b/${String(number)}`);
      const worker = workers.start({
        kind: 'pairs',
        config: { type: 'sqlite', directory },
        prefix: 'c/',
        times: 10,
      });
      for (let number = 0; number < 10; number++) await put(store, `d/${String(number)}`);
      expect(await worker.ended).toBe(0);
      expect((await store.list('')).entries).toHaveLength(50);
      expect((await (await open()).list('')).entries).toHaveLength(50);
    });

    test('all of them: writes are refused until there is a store again, and a watch goes on with it', async () => {
      const store = await open();
      await put(store, 'old');
      const follower = follow(store, '');
      await follower.until(() => follower.content.has('old'));
      for (const name of ['store.db', 'store.db-wal', 'store.db-shm']) await rm(join(directory, name));
      await expect(put(store, 'lost')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/is gone; restore/),
      });
      const other = await open();
      await put(other, 'new');
      await follower.until(() => follower.content.has('new'));
      expect(follower.content.has('old')).toBe(false);
      await put(store, 'again');
      expect((await other.list('')).entries.map(entry => entry.key)).toEqual(['again', 'new']);
      await follower.stop();
    });

    test('a copy with another history moved into its place: a watch lists again', async () => {
      const first = await open();
      await put(first, 'kept');
      await first.close();
      await copyFile(file, `${file}.backup`);
      const copy = new DatabaseSync(`${file}.backup`);
      copy.exec('UPDATE meta SET rev = 50');
      copy.close();
      const store = await open();
      const follower = follow(store, '');
      await put(store, 'later');
      await follower.until(() => follower.content.has('later'));
      for (const name of ['store.db-wal', 'store.db-shm']) await rm(join(directory, name));
      await rename(`${file}.backup`, file);
      await follower.until(() => !follower.content.has('later'));
      expect([...follower.content.keys()]).toEqual(['kept']);
      await follower.stop();
    });

    test('the whole directory: a store made anew is found, with its bell', async () => {
      const store = await open();
      const follower = follow(store, '');
      await follower.until(() => follower.events.length === 1);
      await rm(directory, { recursive: true });
      const other = await open();
      await put(other, 'new');
      await follower.until(() => follower.content.has('new'));
      await put(other, 'newer');
      await follower.until(() => follower.content.has('newer'));
      expect(follower.content.size).toBe(2);
      await follower.stop();
    });
  });

  describe('a watch', () => {
    test('finds a commit whose process died before it rang the bell', async () => {
      const store = await open();
      const follower = follow(store, '');
      await follower.until(() => follower.events.length === 1);
      openRaw().exec(`BEGIN IMMEDIATE;
        UPDATE meta SET rev = rev + 1;
        INSERT INTO kv VALUES ('silent', 'x', 2, 2, 1, NULL);
        INSERT INTO log VALUES (2, 0, 'silent', 'x', 2);
        COMMIT`);
      await follower.until(() => follower.content.has('silent'));
      expect(revisionsOf(follower.events)).toEqual([2]);
      await follower.stop();
    });

    test('is rung, and does not wait for its safety', async () => {
      const store = await open({ safetyMs: 3_600_000 });
      const other = await open();
      const follower = follow(store, '');
      await follower.until(() => follower.events.length === 1);
      for (let number = 0; number < 20; number++) {
        const last = await put(other, 'a', String(number));
        await follower.until(() => revisionsOf(follower.events).at(-1) === last);
      }
      expect(revisionsOf(follower.events)).toHaveLength(20);
      await follower.stop();
    });

    test('lists again after a restore in place, which changes the epoch', async () => {
      const store = await open();
      await put(store, 'old');
      const follower = follow(store, '');
      await follower.until(() => follower.content.has('old'));
      openRaw().exec(`BEGIN IMMEDIATE;
        UPDATE meta SET rev = rev + 1, epoch = 'another';
        DELETE FROM kv; DELETE FROM log;
        INSERT INTO kv VALUES ('restored', 'x', 3, 3, 1, NULL);
        COMMIT`);
      await follower.until(() => follower.content.has('restored'));
      expect(follower.events.map(event => event.kind)).toEqual(['listing', 'listing']);
      expect([...follower.content.keys()]).toEqual(['restored']);
      await follower.stop();
    });

    test('after a revision that the store has never had begins with a listing', async () => {
      const store = await open();
      const last = await put(store, 'a');
      const follower = follow(store, '', { afterRevision: last + 5 });
      await follower.until(() => follower.events.length === 1);
      expect(follower.events[0]?.kind).toBe('listing');
      await follower.stop();
    });

    test('that fell behind the log lists again and repeats no event', async () => {
      const store = await open({ keepRevisions: 50 });
      const watch = store.watch('w/')[Symbol.asyncIterator]();
      expect(await watch.next()).toMatchObject({ value: { kind: 'listing', listing: { entries: [] } } });
      for (let number = 0; number < 700; number++) await put(store, 'w/a', String(number));
      expect(await watch.next()).toMatchObject({
        value: { kind: 'listing', listing: { entries: [{ value: '699' }] } },
      });
      const last = await put(store, 'w/b');
      expect(await watch.next()).toMatchObject({ value: { kind: 'changes', revision: last } });
      await watch.return?.();
    });
  });

  test('keeps no more of the log than it is told, give or take what one trim takes', async () => {
    const store = await open({ keepRevisions: 50 });
    for (let number = 0; number < 1200; number++) await put(store, 'a', String(number));
    const { rows } = openRaw().prepare('SELECT count(*) AS rows FROM log').get() ?? {};
    expect(rows).toBeGreaterThanOrEqual(50);
    expect(rows).toBeLessThanOrEqual(150);
  });
});
