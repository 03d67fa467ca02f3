import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { runClientContract } from './client.js';
import { endpoint, node, policy } from './support/resources.js';

async function openTemporaryStore(): Promise<{
  readonly store: Store;
  readonly dispose: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-client-'));
  const store = await openStore({ type: 'sqlite', directory });
  return {
    store,
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

runClientContract({
  name: 'the client over sqlite',
  create: async () => {
    const { store, dispose } = await openTemporaryStore();
    return { client: createResourceClient(store), dispose };
  },
});

describe('a client over a store with keys', () => {
  let opened: Awaited<ReturnType<typeof openTemporaryStore>>;
  beforeEach(async () => {
    opened = await openTemporaryStore();
  });
  afterEach(async () => {
    await opened.dispose();
  });
  const put = async (key: string, value: string): Promise<void> => {
    await opened.store.commit({ writes: [{ kind: 'put', key, value }] });
  };

  test('leaves out what cannot be read, and says so with its id', async () => {
    const warnings: unknown[] = [];
    const logger = { debug: ignore, info: ignore, error: ignore, warn: note, with: () => logger };
    function ignore(): void {}
    function note(_message: string, fields?: unknown): void {
      warnings.push(fields);
    }
    const client = createResourceClient(opened.store, { logger });
    await put('/calico/v1/policy/tier/default/policy/bad', '{"order":');
    await client.write([{ verb: 'create', resource: policy('good') }]);
    expect(await client.list('policy')).toEqual([policy('good')]);
    expect(warnings).toEqual([{ id: 'Policy(name=bad)', problem: expect.stringMatching(/./) }]);
  });

  test('replaces and deletes what cannot be read', async () => {
    const client = createResourceClient(opened.store);
    await put('/calico/v1/policy/tier/default/policy/p', '?');
    await put('/calico/v1/policy/tier/default/policy/q', '?');
    await client.write([
      { verb: 'replace', resource: policy('p', 1) },
      { verb: 'delete', resource: policy('q') },
    ]);
    expect(await client.list('policy')).toEqual([policy('p', 1)]);
    expect((await opened.store.list('/calico/v1/policy/')).entries).toHaveLength(1);
  });

  test('writes the ready flag with the first node, and takes every key of a deleted host away', async () => {
    const client = createResourceClient(opened.store);
    await client.write([{ verb: 'create', resource: node('n') }]);
    expect(await opened.store.get('/calico/v1/Ready')).toMatchObject({ value: 'true' });
    await put('/calico/v1/host/n/something/new', 'x');
    await put('/calico/bgp/v1/host/n/loglevel', 'debug');
    await client.write([{ verb: 'delete', resource: node('n') }]);
    const left = (await opened.store.list(['/calico/bgp/', '/calico/v1/'])).entries.map(entry => entry.key);
    expect(left).toEqual([
      '/calico/bgp/v1/host/n/loglevel',
      '/calico/v1/Ready',
      '/calico/v1/config/ClusterGUID',
    ]);
  });

  test('tells a watch why a resource went away that is still stored', async () => {
    const client = createResourceClient(opened.store);
    const metadata = { node: 'n', orchestrator: 'cni', workload: 'w', name: 'eth0' };
    const key = '/calico/v1/host/n/workload/cni/w/endpoint/eth0';
    await client.write([{ verb: 'create', resource: endpoint('n', 'w') }]);
    const values = ['{"state":"inactive","name":"cali0"}', '{"name":""}', '{"name":"cali0"}'];
    const abort = new AbortController();
    const told: unknown[] = [];
    for await (const event of client.watch({ signal: abort.signal })) {
      told.push(...event.changes);
      const value = values.shift();
      if (value === undefined) abort.abort();
      else await put(key, value);
    }
    const id = 'WorkloadEndpoint(node=n, orchestrator=cni, workload=w, name=eth0)';
    expect(told).toMatchObject([
      { id, resource: { metadata } },
      { id, resource: undefined, problem: 'its state is inactive: it gets no traffic' },
      { id, resource: undefined, problem: expect.stringContaining('interfaceName') },
      { id, resource: { metadata } },
    ]);
  });

  test('does not tell a watch of addresses, status and unknown keys', async () => {
    const client = createResourceClient(opened.store);
    const abort = new AbortController();
    const told: unknown[] = [];
    for await (const { inSync, changes } of client.watch({ signal: abort.signal })) {
      told.push(...changes);
      if (!inSync) abort.abort();
      else {
        await put('/calico/ipam/v2/handle/h', '{}');
        await put('/calico/felix/v1/host/n/status', '{}');
        await put('/calico/v1/policy/tier/other/policy/p', '{}');
        await put('/calico/v1/policy/profile/half/labels', '{}');
        await put('/calico/bgp/v1/host/half/as_num', '1');
        await client.write([{ verb: 'create', resource: policy('last') }]);
      }
    }
    expect(told).toMatchObject([{ id: 'Policy(name=last)' }]);
  });
});
