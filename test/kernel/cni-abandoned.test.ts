import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runChecked } from '../../src/base/index.js';
import { eventually } from '../support/netns.js';
import { createCniHost, createPools } from './cni/agent.js';
import type { CniHost } from './cni/agent.js';

let host: CniHost;

beforeEach(async () => {
  host = await createCniHost();
  await createPools(host.client, '10.65.0.0/24');
  await host.startServer();
});

afterEach(async () => host.close());

async function add(id: string, args = ''): Promise<void> {
  const netns = await host.net.add(id);
  const call = { command: 'ADD', id, netns, args };
  expect(await host.call(call)).toMatchObject({ exitCode: 0 });
}

/** The container ends, and with its namespace goes the link. */
async function end(id: string): Promise<void> {
  const before = (await host.links()).length;
  await runChecked('ip', ['netns', 'del', host.net.path(id).replace('/run/netns/', '')]);
  await eventually('the link is gone', async () => (await host.links()).length < before);
}

const tracesOf = async (id: string): Promise<readonly string[]> =>
  (await host.traces()).filter(trace => trace.includes(id));

describe('a container that went without a DEL', () => {
  test('loses its endpoint and its addresses to the repair, and one that lives does not', async () => {
    await add('dead');
    await add('alive');
    await end('dead');
    expect(await host.repairAbandoned()).toEqual([
      'dead/eth0 is gone without a DEL: its endpoint and addresses are removed',
    ]);
    expect(await tracesOf('dead')).toEqual([]);
    expect((await tracesOf('alive')).length).toBe(2);
    expect(await host.links()).toHaveLength(1);
    expect(await host.repairAbandoned()).toEqual([]);
  });

  test('is found after the host was switched off, by the address that it holds', async () => {
    await add('dead');
    await end('dead');
    // With the memory that held them, the records are gone.
    host.records.remove({ containerId: 'dead', ifName: 'eth0' });
    expect(await host.repairAbandoned()).toHaveLength(1);
    expect(await host.traces()).toEqual([]);
  });

  test('leaves the new sandbox of its pod alone', async () => {
    const args = 'K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=pod1';
    await add('old', args);
    await add('new', args);
    await runChecked('ip', ['netns', 'del', host.net.path('old').replace('/run/netns/', '')]);
    expect(await host.repairAbandoned()).toHaveLength(1);
    expect(await tracesOf('old')).toEqual([]);
    expect(await host.links()).toHaveLength(1);
    const [endpoint] = await host.client.list('workloadEndpoint');
    const check = await host.call({ command: 'ADD', id: 'new', netns: host.net.path('new'), args });
    expect(check.stdout).toContain(endpoint?.spec.ipNetworks?.[0] ?? 'none');
  });
});
