import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEtcd } from '../contract/support/etcd-server.js';
import type { EtcdServer } from '../contract/support/etcd-server.js';
import { eventually } from '../support/netns.js';
import { createCniHost, createPools } from './cni/agent.js';
import type { CniHost } from './cni/agent.js';

let etcd: EtcdServer;
let host: CniHost;

beforeAll(async () => {
  etcd = await startEtcd();
  host = await createCniHost({ datastore: { type: 'etcdv3', endpoints: [etcd.endpoint] } });
  await createPools(host.client, '10.65.0.0/24', 'fd65::/64');
  await host.startServer();
  await host.net.add('pod');
});

afterAll(async () => {
  await host.close();
  await etcd.dispose();
});

const ipam = { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' };

/** What the runtime calls: true when it succeeds, false when it fails with "try again later". */
async function call(command: string): Promise<boolean> {
  const { exitCode, stdout } = await host.call({ command, netns: host.net.path('pod'), config: { ipam } });
  if (exitCode !== 0 && !stdout.includes('"code": 11')) throw new Error(stdout);
  return exitCode === 0;
}

/** As a runtime does: again until it succeeds. */
async function succeeds(command: string): Promise<void> {
  await eventually(`${command} succeeds`, async () => await call(command));
}

/** Kills etcd in the middle of a command, and starts it again. */
async function interrupt(command: string, afterMs: number): Promise<void> {
  const answer = call(command);
  await new Promise(resolve => setTimeout(resolve, afterMs));
  await etcd.signal('SIGKILL');
  await etcd.restart();
  await answer;
}

describe('an etcd that is killed', () => {
  test.each([0, 3, 6, 8, 12])('in the middle of an ADD, after %d ms, is healed by an ADD', async afterMs => {
    await interrupt('ADD', afterMs);
    await succeeds('ADD');
    expect(await host.traces()).toHaveLength(3);
    expect(await host.links()).toHaveLength(1);
    await succeeds('DEL');
    expect(await host.traces()).toEqual([]);
  });

  test.each([1, 5, 9])('in the middle of an ADD, after %d ms, is healed by a DEL', async afterMs => {
    await interrupt('ADD', afterMs);
    await succeeds('DEL');
    expect(await host.traces()).toEqual([]);
    expect(await host.links()).toEqual([]);
  });

  test.each([0, 4])('in the middle of a DEL, after %d ms, leaves what another DEL removes', async afterMs => {
    await succeeds('ADD');
    await interrupt('DEL', afterMs);
    await succeeds('DEL');
    expect(await host.traces()).toEqual([]);
    expect(await host.links()).toEqual([]);
  });
});
