import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { checkIpam, createAllocator, usage } from '../../src/ipam/index.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';

const hosts = 20;
let etcd: EtcdServer;
let stores: readonly Store[];

beforeAll(async () => {
  etcd = await startEtcd();
  stores = await Promise.all(
    Array.from({ length: hosts }, async () => openStore({ type: 'etcdv3', endpoints: [etcd.endpoint] })),
  );
});

afterAll(async () => {
  await Promise.all(stores.map(async store => store.close()));
  await etcd.dispose();
});

describe('twenty hosts on one etcd', () => {
  test('assign and release at once, without an address twice and without a trace', async () => {
    const [first] = stores;
    if (first === undefined) throw new Error('no store');
    const client = createResourceClient(first);
    // Fewer blocks than hosts: most must borrow, and all are in each other's way.
    await client.write([
      {
        verb: 'create',
        resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/23' }, spec: {} },
      },
      ...stores.map((_, i) => ({
        verb: 'create' as const,
        resource: {
          apiVersion: 'v1' as const,
          kind: 'node' as const,
          metadata: { name: `n${String(i)}` },
          spec: {},
        },
      })),
    ]);
    const allocators = stores.map(store => createAllocator({ store, clock: systemClock }));
    const handles = (host: number): readonly string[] =>
      [0, 1, 2, 3, 4].map(n => `h${String(host)}.${String(n)}`);
    const answers = await Promise.all(
      allocators.map(async (allocator, host) => {
        const node = `n${String(host)}`;
        const addresses: string[] = [];
        for (const handle of handles(host)) {
          const request = { node, handle, attributes: { node, type: 'test' }, count: { 4: 2, 6: 0 } };
          addresses.push(...(await allocator.assign(request)).addresses);
        }
        return addresses;
      }),
    );
    expect(new Set(answers.flat()).size).toBe(hosts * 10);
    const parts = { store: first, client, clock: systemClock };
    expect((await checkIpam(parts)).problems).toEqual([]);
    await Promise.all(
      allocators.map(async (allocator, host) => {
        for (const handle of handles(host)) await allocator.releaseByHandle(handle);
      }),
    );
    expect((await checkIpam(parts)).problems).toEqual([]);
    expect((await usage(first)).pools.map(({ used }) => used)).toEqual([0]);
  });
});
