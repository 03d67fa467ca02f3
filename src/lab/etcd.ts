import { mkdirSync, rmSync } from 'node:fs';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { LabContext } from './context.js';
import { startDaemon } from './daemon.js';
import { processIn } from './processes.js';
import { labStore, storeDirectory } from './paths.js';
import type { LabPlan } from './plan.js';
import { logTail, until } from './until.js';

/** A member of its own alone: it talks with no peer. */
const PEER = 'http://127.0.0.1:1';
/** etcd takes sockets in its working directory only, in the form of a host with a port. */
const CLIENTS = 'unix://client:0';
const PEERS = 'unix://peer:0';

/** Pid of the lab's etcd; undefined when none runs. */
export function etcdPid(plan: LabPlan): number | undefined {
  return processIn(plan.fabric.netns, CLIENTS);
}

/** Starts the lab's etcd, unless it runs or the lab has none, and waits until it answers. */
export async function startEtcd(context: LabContext, plan: LabPlan): Promise<void> {
  if (plan.datastore !== 'etcd' || etcdPid(plan) !== undefined) return;
  const directory = storeDirectory(context.paths, plan);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // One that was killed leaves its sockets, and etcd does not start where there is one.
  for (const socket of [CLIENTS, PEERS])
    rmSync(`${directory}/${socket.replace('unix://', '')}`, { force: true });
  startDaemon({
    netns: plan.fabric.netns,
    program: 'etcd',
    args: [
      '--name=lab',
      `--data-dir=${directory}/data`,
      `--listen-client-urls=${CLIENTS}`,
      `--advertise-client-urls=${CLIENTS}`,
      `--listen-peer-urls=${PEERS}`,
      `--initial-advertise-peer-urls=${PEER}`,
      `--initial-cluster=lab=${PEER}`,
    ],
    log: `${directory}/etcd.log`,
    cwd: directory,
  });
  await until(context, {
    what: 'etcd of the lab',
    limitMs: 20_000,
    attempt: async () => {
      const store = await openStore(labStore(context.paths, plan));
      try {
        await createResourceClient(store).list('node');
      } finally {
        await store.close();
      }
      return true;
    },
    trouble: () => logTail(`${directory}/etcd.log`),
  });
  context.say('etcd answers');
}
