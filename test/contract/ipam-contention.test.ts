import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isCalicoError, systemClock } from '../../src/base/index.js';
import { checkIpam, usage } from '../../src/ipam/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';
import { buildWorkerProgram } from './support/start-worker.js';

let etcd: EtcdServer;
let world: IpamWorld;

beforeAll(async () => {
  etcd = await startEtcd();
});

afterEach(async () => world.close());

afterAll(async () => etcd.dispose());

const stores = [
  { name: 'an embedded store', open: async (hosts: number) => openIpamWorld(hosts) },
  {
    name: 'etcd',
    open: async (hosts: number) => {
      await etcd.empty();
      return openIpamWorld(hosts, etcd);
    },
  },
];

const one = { 4: 1, 6: 0 };

describe.each(stores)('on $name', ({ open }) => {
  test('a hundred hosts take their first address at once, and none fails', async () => {
    world = await open(100);
    await world.setPool('10.0.0.0/16');
    const answers = await Promise.all(
      world.allocators.map(async (allocator, i) =>
        allocator.assign({ node: `n${String(i)}`, handle: `h${String(i)}`, count: one }),
      ),
    );
    expect(new Set(answers.flatMap(({ addresses }) => addresses)).size).toBe(100);
    const blocks = [...(await world.blocks()).values()];
    expect(new Set(blocks.map(({ affinity }) => affinity)).size).toBe(100);
  });

  test('a pool of 1,024 hosts without a free block lends an address, or says why not', async () => {
    world = await open(1);
    await world.setPool('10.0.0.0/16');
    await world.fillPool('10.0.0.0/16', 1024);
    const [allocator] = world.allocators;
    const request = { node: 'late', handle: 'late', count: one };
    expect((await allocator?.assign(request))?.addresses).toHaveLength(1);
    await world.setConfig({ strict_affinity: true, auto_allocate_blocks: true });
    await expect(allocator?.assign({ ...request, node: 'later', handle: 'later' })).rejects.toMatchObject({
      code: 'exhausted',
      message: expect.stringContaining('No IPs available in pools: [10.0.0.0/16]'),
    });
  });

  test('hosts that want the last block and the last address get them once', async () => {
    world = await open(8);
    await world.setPool('10.0.0.0/26');
    const answers = await Promise.all(
      Array.from({ length: 72 }, async (_, i) =>
        world.allocators[i % 8]
          ?.assign({ node: `n${String(i % 8)}`, handle: `h${String(i)}`, count: one })
          .catch((error: unknown) => {
            if (isCalicoError(error, 'exhausted')) return undefined;
            throw error;
          }),
      ),
    );
    const given = answers.flatMap(answer => answer?.addresses ?? []);
    expect(given).toHaveLength(64);
    expect(new Set(given).size).toBe(64);
  });
});

describe('twenty processes on one etcd', () => {
  test('assign and release at once, and the records agree', async () => {
    await etcd.empty();
    world = await openIpamWorld(1, etcd);
    // Fewer blocks than hosts: most must borrow, and all are in each other's way.
    await world.setPool('10.0.0.0/23');
    const nodes = Array.from({ length: 20 }, (_, i) => `n${String(i)}`);
    await world.client.write(
      nodes.map(name => ({
        verb: 'create',
        resource: { apiVersion: 'v1', kind: 'node', metadata: { name }, spec: {} },
      })),
    );
    const program = await buildWorkerProgram();
    try {
      const config = { type: 'etcdv3' as const, endpoints: [etcd.endpoint] };
      const workers = nodes.map(node => program.start({ kind: 'assign', config, node, times: 6 }));
      expect(await Promise.all(workers.map(async ({ ended }) => ended))).toEqual(workers.map(() => 0));
      expect(workers.flatMap(({ failures }) => failures)).toEqual([]);
    } finally {
      await program.dispose();
    }
    const parts = { store: world.store, client: world.client, clock: systemClock };
    const used = async (): Promise<number> =>
      (await usage(world.store)).pools.reduce((sum, pool) => sum + pool.used, 0);
    expect(await used()).toBe(20 * 3 * 2);
    expect((await checkIpam(parts)).problems).toEqual([]);
    const handles = [...(await world.handles()).keys()];
    await Promise.all(handles.map(async handle => world.allocators[0]?.releaseByHandle(handle)));
    expect(await used()).toBe(0);
    expect((await checkIpam(parts)).problems).toEqual([]);
  });
});
