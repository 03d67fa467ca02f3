import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';
import { follow, revisionsOf } from './support/follow.js';
import { startTcpProxy } from './support/tcp-proxy.js';
import type { TcpProxy } from './support/tcp-proxy.js';

/** Nobody listens there. */
const dead = 'http://127.0.0.1:1';

describe('the etcd store', () => {
  let server: EtcdServer;
  let stores: Store[] = [];
  let closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(async () => {
    await server.dispose();
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    for (const close of closing) await close();
    [stores, closing] = [[], []];
    await server.empty();
  });

  const open = async (...endpoints: readonly string[]): Promise<Store> => {
    const store = await openStore({ type: 'etcdv3', endpoints });
    stores.push(store);
    return store;
  };
  const put = async (store: Store, key: string, value = 'x'): Promise<number> => {
    const result = await store.commit({ writes: [{ kind: 'put', key, value }] });
    if (!result.committed) throw new Error('not committed');
    return result.revision;
  };
  const proxy = async (): Promise<TcpProxy> => {
    const started = await startTcpProxy(server.endpoint);
    closing.push(async () => await started.close());
    return started;
  };
  const listen = async (listener: Server): Promise<string> => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    closing.push(async () => {
      listener.close();
      await once(listener, 'close');
    });
    const address = listener.address();
    return address === null || typeof address === 'string' ? '' : `http://127.0.0.1:${String(address.port)}`;
  };
  const start = 'client: etcd cluster is unavailable or misconfigured: ';

  describe('endpoints', () => {
    test.for([[dead], ['http://no-such-host.invalid:2379']])('beside the dead %s do', async ([bad = '']) => {
      const store = await open(bad, server.endpoint, bad);
      await put(store, 'a', '1');
      expect(await store.get('a')).toMatchObject({ value: '1' });
      const follower = follow(store, 'a');
      await follower.until(() => follower.content.get('a') === '1');
      await follower.stop();
    });

    test('are left when their server is lost, by calls and watches', async () => {
      const [first, second] = [await proxy(), await proxy()];
      const store = await open(first.endpoint, second.endpoint);
      const follower = follow(store, 'w/');
      await follower.until(() => follower.events.length === 1);
      for (const lost of [first, second, first]) {
        lost.cut();
        await store.get('w/a'); // a change at this moment could fail: nobody would know whether it was made
        const revision = await put(store, 'w/a');
        await follower.until(() => revisionsOf(follower.events).at(-1) === revision);
        lost.join();
      }
      expect(revisionsOf(follower.events)).toHaveLength(3);
      await follower.stop();
    });

    test.for(['etcd1:2379', 'ftp://etcd1', 'http://user:secret@etcd1:2379', 'http://etcd1:2379/v3', ''])(
      'that are no URLs of servers are refused: %s',
      async endpoint => {
        await expect(openStore({ type: 'etcdv3', endpoints: [endpoint] })).rejects.toMatchObject({
          code: 'invalid',
          message: `datastore: ETCD_ENDPOINTS='${endpoint}': expected a URL such as http://10.0.0.1:2379, or unix:///path/of/a/socket`,
        });
      },
    );
  });

  describe('failures', () => {
    /** What a read and a change say: at most 4.5 s later, on a busy machine with more patience. */
    const said = async (store: Store): Promise<readonly unknown[]> => {
      const began = performance.now();
      const results = await Promise.allSettled([store.get('a'), put(store, 'a')]);
      expect(performance.now() - began).toBeLessThan(20_000);
      return results.map(result => (result.status === 'rejected' ? result.reason : result.value));
    };
    const failure = (text: string): object => ({ code: 'unavailable', message: `${start}${text}` });

    test('say of each endpoint what happened', async () => {
      const store = await open(dead, 'http://127.0.0.1:2');
      await expect(store.list('')).rejects.toMatchObject({
        message: expect.stringMatching(
          /^client: .+: http:\/\/127.0.0.1:(1|2): connection refused; http:\/\/127.0.0.1:(1|2): connection refused; check ETCD_ENDPOINTS$/,
        ),
      });
    });

    test('say that a name is not known', async () => {
      const endpoint = 'http://no-such-host.invalid:2379';
      const expected = failure(`${endpoint}: the name is not known to DNS; check ETCD_ENDPOINTS`);
      expect(await said(await open(endpoint))).toMatchObject([expected, expected]);
    });

    test('say that a server is silent', async () => {
      const endpoint = await listen(createServer(socket => socket.resume()));
      const expected = failure(`${endpoint}: no answer within 1.5 s; check ETCD_ENDPOINTS`);
      expect(await said(await open(endpoint))).toMatchObject([expected, expected]);
    });

    test('say that a server is no etcd', async () => {
      const endpoint = await listen(createHttpServer((_request, response) => response.end('hello')));
      const expected = failure(`${endpoint}: is no etcd: it speaks no HTTP/2; check ETCD_ENDPOINTS`);
      expect(await said(await open(endpoint))).toMatchObject([expected, expected]);
    });

    test('of a frozen connection are told; a change says that it may have been made', async () => {
      const way = await proxy();
      const store = await open(way.endpoint);
      await put(store, 'a');
      way.freeze();
      expect(await said(store)).toMatchObject([
        { code: 'unavailable', message: expect.stringContaining(start) },
        failure(
          `${way.endpoint}: no answer in time; whether the change was made is not known, look before you repeat it`,
        ),
      ]);
    });

    test('end with the fault: the next call finds the server again', async () => {
      const way = await proxy();
      const store = await open(way.endpoint);
      await put(store, 'a', '0');
      const lost = put(store, 'a', '?');
      way.cut();
      await expect(lost).rejects.toMatchObject(
        failure(
          `${way.endpoint}: the connection was lost; whether the change was made is not known, look before you repeat it`,
        ),
      );
      await expect(store.get('a')).rejects.toMatchObject({ code: 'unavailable' });
      way.join();
      await put(store, 'a', '1');
      way.cut();
      way.join();
      expect(await store.get('a')).toMatchObject({ value: '1' });
    });
  });

  describe('a transaction', () => {
    test('of 128 keys is made, one of more is refused before it is sent', async () => {
      const store = await open(server.endpoint);
      const writes = Array.from({ length: 129 }, (_, index) => ({
        kind: 'put' as const,
        key: String(index),
        value: '',
      }));
      const conditions = writes.map(({ key }) => ({ key, modRevision: 0 }));
      const refused = {
        code: 'exhausted',
        message:
          'datastore: a change of 129 keys; etcd takes 128 in one transaction; nothing was written; write less at a time',
      };
      await expect(store.commit({ writes })).rejects.toMatchObject(refused);
      await expect(store.commit({ conditions, writes: [] })).rejects.toMatchObject(refused);
      const within = { conditions: conditions.slice(1), writes: writes.slice(1) };
      expect(await store.commit(within)).toMatchObject({ committed: true });
      expect(await store.commit(within)).toMatchObject({
        committed: false,
        conflicts: within.writes.map(({ key }) => key),
      });
      expect((await store.list('')).entries).toHaveLength(128);
    });

    test('of 1.4 MB is made, a larger one is refused before it is sent', async () => {
      const store = await open(server.endpoint);
      await put(store, 'a', 'x'.repeat(1_399_999));
      await expect(put(store, 'b', 'é'.repeat(700_001))).rejects.toMatchObject({
        code: 'exhausted',
        message: expect.stringContaining('a change of 1.4 MB; etcd takes 1.4 MB in one transaction'),
      });
      expect((await store.list('')).entries.map(({ key, value }) => [key, value.length])).toEqual([
        ['a', 1_399_999],
      ]);
    });

    test('over the limits of this etcd, or its quota, is refused by name', async () => {
      const args = ['--max-txn-ops=8', '--max-request-bytes=50000', '--quota-backend-bytes=500000'];
      const small = await startEtcd({ args });
      closing.push(async () => await small.dispose());
      const store = await open(small.endpoint);
      const writes = Array.from({ length: 9 }, (_, index) => ({
        kind: 'delete' as const,
        key: String(index),
      }));
      await expect(store.commit({ writes })).rejects.toMatchObject({
        code: 'exhausted',
        message: expect.stringContaining('--max-txn-ops'),
      });
      await expect(put(store, 'a', 'x'.repeat(60_000))).rejects.toMatchObject({
        code: 'exhausted',
        message: expect.stringContaining('--max-request-bytes'),
      });
      const fill = async (): Promise<never> => {
        for (let number = 0; ; number++) await put(store, String(number), 'x'.repeat(40_000));
      };
      await expect(fill()).rejects.toMatchObject({
        code: 'exhausted',
        message: expect.stringContaining('--quota-backend-bytes'),
      });
    });
  });

  describe('reading', () => {
    test('lists more than fits in one answer as of one revision while others write', async () => {
      const store = await open(server.endpoint);
      const count = 4500;
      for (let first = 0; first < count; first += 100) {
        const writes = Array.from({ length: 100 }, (_, index) => ({
          kind: 'put' as const,
          key: `l/${String(first + index).padStart(5, '0')}`,
          value: '0',
        }));
        await store.commit({ writes });
      }
      const [listing] = await Promise.all([
        store.list('l/'),
        ...Array.from(
          { length: 20 },
          async (_, index) => await put(store, `l/0449${String(index % 10)}`, '1'),
        ),
      ]);
      expect(listing.entries).toHaveLength(count);
      const newest = Math.max(...listing.entries.map(entry => entry.modRevision));
      expect(newest).toBeLessThanOrEqual(listing.revision);
      expect(listing.entries.map(entry => entry.key)).toEqual(
        listing.entries.map(entry => entry.key).toSorted(),
      );
    });

    test('finds many keys that are asked for together', async () => {
      const store = await open(server.endpoint);
      for (const key of ['1', '200', '299']) await put(store, key, `value ${key}`);
      const keys = Array.from({ length: 300 }, (_, index) => String(index));
      const found = await Promise.all(keys.map(async key => (await store.get(key))?.value));
      expect(found.filter(value => value !== undefined)).toEqual(['value 1', 'value 200', 'value 299']);
      expect(found[200]).toBe('value 200');
    });
  });

  describe('a watch', () => {
    test.for(['SIGKILL', 'SIGTERM'] as const)(
      'goes on after a %s and a restart of the server without loss or repetition',
      async signal => {
        const writer = await open(server.endpoint);
        const follower = follow(await open(server.endpoint), 'w/');
        await follower.until(() => follower.events.length === 1);
        const written: number[] = [];
        for (let round = 0; round < 3; round++) {
          for (let number = 0; number < 20; number++) written.push(await put(writer, 'w/a', String(number)));
          await server.signal(signal);
          await server.restart();
        }
        written.push(await put(writer, 'w/last'));
        await follower.until(() => follower.content.has('w/last'));
        expect(revisionsOf(follower.events)).toEqual(written);
        expect(follower.events.filter(event => event.kind === 'listing')).toHaveLength(1);
        await follower.stop();
      },
    );

    test('tells what happened while it was cut off, each once', async () => {
      const way = await proxy();
      const writer = await open(server.endpoint);
      const follower = follow(await open(way.endpoint), 'w/');
      await follower.until(() => follower.events.length === 1);
      const written = [await put(writer, 'w/a', '0')];
      await follower.until(() => follower.content.size === 1);
      way.cut();
      for (let number = 0; number < 50; number++) written.push(await put(writer, 'w/a', String(number)));
      way.join();
      await follower.until(() => revisionsOf(follower.events).length === 51);
      expect(revisionsOf(follower.events)).toEqual(written);
      await follower.stop();
    });

    test('lists again when the history was cut while it was away', async () => {
      const way = await proxy();
      const writer = await open(server.endpoint);
      const follower = follow(await open(way.endpoint), 'w/');
      await follower.until(() => follower.events.length === 1);
      await put(writer, 'w/gone');
      await follower.until(() => follower.content.size === 1);
      way.cut();
      await writer.commit({ writes: [{ kind: 'delete', key: 'w/gone' }] });
      const revision = await put(writer, 'w/new');
      await server.ask('kv/compaction', { revision: String(revision), physical: true });
      way.join();
      await follower.until(() => follower.content.has('w/new'));
      expect([...follower.content.keys()]).toEqual(['w/new']);
      expect(follower.events.map(event => event.kind)).toEqual(['listing', 'changes', 'listing']);
      const last = await put(writer, 'w/last');
      await follower.until(() => revisionsOf(follower.events).includes(last));
      await follower.stop();
    });

    test('lists again when the server comes back with another history', async () => {
      const own = await startEtcd();
      closing.push(async () => await own.dispose());
      const writer = await open(own.endpoint);
      for (let number = 0; number < 10; number++) await put(writer, 'w/old');
      const follower = follow(await open(own.endpoint), 'w/');
      await follower.until(() => follower.content.has('w/old'));
      await own.restart({ empty: true });
      await follower.until(() => follower.content.size === 0);
      await put(writer, 'w/new');
      await follower.until(() => follower.content.has('w/new'));
      expect([...follower.content.keys()]).toEqual(['w/new']);
      await follower.stop();
    });

    test('notices a connection that is dead without a word, and goes on', async () => {
      const way = await proxy();
      const writer = await open(server.endpoint);
      const store = await open(way.endpoint);
      const follower = follow(store, 'w/');
      const before = await put(writer, 'w/a');
      await follower.until(() => follower.content.has('w/a'));
      way.freeze();
      const revision = await put(writer, 'w/b');
      await delay(6500); // longer than a silence that calls for a sign of life
      // Nothing was sent on the dead connection, so that it is known that nothing was written.
      await expect(put(store, 'w/c')).rejects.toMatchObject({
        message: expect.stringMatching(/: no answer within [\d.]+ s; check ETCD_ENDPOINTS$/),
      });
      way.join();
      await follower.until(() => follower.content.has('w/b'));
      expect(revisionsOf(follower.events).filter(each => each > before)).toEqual([revision]);
      await follower.stop();
    });

    test('of nothing begins with an empty listing and ends when it is told to', async () => {
      const store = await open(server.endpoint);
      const revision = await put(store, 'a');
      const follower = follow(store, []);
      await follower.until(() => follower.events.length === 1);
      expect(follower.events).toEqual([{ kind: 'listing', listing: { revision, entries: [] } }]);
      await follower.stop();
    });

    test('waits for a server that starts later', async () => {
      const way = await proxy();
      way.cut();
      const follower = follow(await open(way.endpoint), 'w/');
      await put(await open(server.endpoint), 'w/a');
      way.join();
      await follower.until(() => follower.content.has('w/a'));
      expect(follower.events.map(event => event.kind)).toEqual(['listing']);
      await follower.stop();
    });
  });
});
