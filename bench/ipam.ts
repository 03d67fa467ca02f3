import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCalicoError, systemClock } from '../src/base/index.js';
import { createResourceClient, openStore } from '../src/datastore/index.js';
import type { Store, StoreConfig } from '../src/datastore/index.js';
import { createAllocator } from '../src/ipam/index.js';
import type { Allocator } from '../src/ipam/index.js';
import { openIpamWorld } from '../test/contract/ipam/world.js';
import { startEtcd } from '../test/contract/support/etcd-server.js';
import type { EtcdServer } from '../test/contract/support/etcd-server.js';

/** The allocator over both stores: what one host gets through, and what many hosts at once cost each other. */
const directory = mkdtempSync(join(tmpdir(), 'calico-bench-'));
const rows: (readonly [string, string, string])[] = [];
const one = { 4: 1, 6: 0 };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** As many at a time as `width`, each for a container of its own, as CNI asks. */
async function burst(
  allocator: Allocator,
  run: { count: number; width: number; name: string },
): Promise<number> {
  let next = 0;
  const whole = await timed(async () =>
    Promise.all(
      Array.from({ length: run.width }, async () => {
        for (let i = next++; i < run.count; i = next++) {
          const handle = `${run.name}.${String(i)}`;
          const attributes = { node: 'n', containerid: handle.padEnd(64, '0'), interface: 'eth0' };
          await allocator.assign({ node: 'n', handle, attributes, count: one });
        }
      }),
    ),
  );
  return (run.count * 1000) / whole;
}

/** One host, from blocks that it owns or claims. */
async function oneHost(
  what: string,
  store: Store,
  targets: { count: number; serial: string },
): Promise<void> {
  await createResourceClient(store).write([
    {
      verb: 'create',
      resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/16' }, spec: {} },
    },
  ]);
  const allocator = createAllocator({ store, clock: systemClock });
  const { count } = targets;
  await burst(allocator, { count: count / 4, width: 1, name: 'warm' });
  for (const width of [1, 16, 64]) {
    const rate = await burst(allocator, { count, width, name: `w${String(width)}` });
    const target = width === 1 ? targets.serial : '';
    rows.push([`${what}: assignments a second, ${String(width)} at a time`, rate.toFixed(0), target]);
  }
}

async function manyHosts(what: string, etcd: EtcdServer | undefined): Promise<void> {
  await etcd?.empty();
  const crowd = await openIpamWorld(100, etcd);
  await crowd.setPool('10.0.0.0/16');
  const all = await timed(async () =>
    Promise.all(
      crowd.allocators.map(async (allocator, i) =>
        allocator.assign({ node: `n${String(i)}`, handle: `h${String(i)}`, count: one }),
      ),
    ),
  );
  rows.push([`${what}: 100 hosts take their first address at once, in all (ms)`, all.toFixed(0), '5000']);
  await crowd.close();
  await etcd?.empty();
  const full = await openIpamWorld(1, etcd);
  await full.setPool('10.0.0.0/16');
  await full.fillPool('10.0.0.0/16', 1024);
  const ask = async (node: string): Promise<number> =>
    timed(async () =>
      full.allocators[0]?.assign({ node, handle: node, count: one }).catch((error: unknown) => {
        if (!isCalicoError(error, 'exhausted')) throw error;
      }),
    );
  rows.push([
    `${what}: 1,024 hosts, no free block: borrowed after (ms)`,
    (await ask('a')).toFixed(1),
    '1000',
  ]);
  await full.setConfig({ strict_affinity: true, auto_allocate_blocks: true });
  rows.push([`${what}: the same, strict: refused after (ms)`, (await ask('b')).toFixed(1), '1000']);
  await full.close();
}

async function onStore(
  what: string,
  config: StoreConfig,
  targets: { count: number; serial: string },
): Promise<void> {
  const store = await openStore(config);
  await oneHost(what, store, targets);
  await store.close();
}

const etcd = await startEtcd();
try {
  for (const synchronous of ['full', 'normal'] as const) {
    // As an agent opens it.
    const config = {
      type: 'sqlite',
      directory: join(directory, synchronous),
      synchronous,
      longLived: true,
    } as const;
    const name = synchronous === 'full' ? 'sqlite, synced' : 'sqlite, not synced';
    await onStore(name, config, { count: 2000, serial: synchronous === 'full' ? '1500' : '' });
  }
  await onStore('etcd', { type: 'etcdv3', endpoints: [etcd.endpoint] }, { count: 1000, serial: '300' });
  await manyHosts('sqlite', undefined);
  await manyHosts('etcd', etcd);
} finally {
  await etcd.dispose();
  rmSync(directory, { recursive: true, force: true });
}
const lines = rows.map(([what, value, target]) => `| ${what} | ${value} | ${target} |`);
console.log(['| what | value | target |', '|---|---|---|', ...lines].join('\n'));
