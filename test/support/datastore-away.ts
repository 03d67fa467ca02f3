import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { etcdPid, storeDirectory } from '../../src/lab/index.js';
import type { LabPlan } from '../../src/lab/index.js';
import { eventually } from './netns.js';
import type { Installation } from './installation.js';

/** A lab whose datastore is an etcd. */
interface EtcdLab {
  readonly plan: LabPlan;
  readonly installation: Installation;
}

/** Kills the lab's etcd and waits until it is gone. */
export async function killEtcd({ plan }: EtcdLab): Promise<void> {
  const pid = etcdPid(plan);
  if (pid === undefined) throw new Error('the lab has no etcd');
  process.kill(pid, 'SIGKILL');
  await eventually('etcd has ended', () => etcdPid(plan) === undefined);
}

/**
 * Serves the data of the lab's dead etcd behind sockets that no agent knows, for as long as `change` takes: what
 * happens meanwhile happens unseen. Then all history before the last change is cut.
 */
export async function changeUnseen(
  { plan, installation }: EtcdLab,
  change: (store: Store) => Promise<number>,
): Promise<void> {
  const directory = storeDirectory(installation.paths, plan);
  const [clients, peers, peer] = ['unix://aside:0', 'unix://aside-peer:0', 'http://127.0.0.1:1'];
  const args = [
    '--name=lab',
    `--data-dir=${directory}/data`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=lab=${peer}`,
  ];
  // Sockets are made in its working directory; by setpriv it ends with us, however we end.
  const child = spawn('setpriv', ['--pdeathsig=KILL', 'etcd', ...args], { cwd: directory, stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    const store = await openStore({ type: 'etcdv3', endpoints: [`unix://${directory}/aside:0`] });
    try {
      await eventually('the etcd aside answers', async () => await answers(store));
      const revision = await change(store);
      await compact(`${directory}/aside:0`, revision);
    } finally {
      await store.close();
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function answers(store: Store): Promise<boolean> {
  return await store.get('/calico/v1/Ready').then(
    () => true,
    () => false,
  );
}

/** What the store itself never asks etcd for. */
async function compact(socketPath: string, revision: number): Promise<void> {
  const asked = request({ socketPath, path: '/v3/kv/compaction', method: 'POST' });
  asked.end(JSON.stringify({ revision: String(revision), physical: true }));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`compaction: HTTP ${String(response.statusCode)}`);
}
