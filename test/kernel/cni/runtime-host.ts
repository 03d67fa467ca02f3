import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked, runProgram } from '../../../src/base/index.js';
import type { ProgramResult } from '../../../src/base/index.js';
import { createResourceClient, openStore } from '../../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../../src/datastore/index.js';
import { startAgentProcess } from '../../support/agent-process.js';
import type { AgentPlace, AgentProcess } from '../../support/agent-process.js';
import { builtInstallation } from '../../support/installation.js';
import { createTestNet } from '../../support/netns.js';
import type { TestNet } from '../../support/netns.js';
import { buildLauncher } from './agent.js';
import { buildImage } from './container-image.js';
import { endCgroup, holdNamespaces } from './held-namespaces.js';
import { remains } from './remains.js';

/**
 * A host for a container runtime: network and mount namespaces of its own with an agent in them, so that the
 * runtime's sockets, namespaces and state disappear with it. The namespace of the host is `host` in `net`.
 */
export interface RuntimeHost {
  readonly net: TestNet;
  readonly store: Store;
  readonly client: ResourceClient;
  /** for files of the test; `plugins` and `networks` in it are the runtime's folders for CNI */
  readonly directory: string;
  /** archive of the image `localhost/box:1` */
  readonly image: string;
  /** a folder for the cgroups of the containers */
  readonly cgroup: string;
  /** Runs a program on the host. */
  run(program: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** The same for one that stays; it ends with the host. */
  start(program: string, ...args: readonly string[]): void;
  /** Writes a network, a list of plugins, to the folder of networks. */
  network(name: string, ...plugins: readonly object[]): void;
  startAgent(): Promise<void>;
  stopAgent(signal?: 'SIGKILL'): Promise<void>;
  /** What attachments have in the kernel, in the store and on disk. */
  remains(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Runtimes start no container on a machine that mounts no cgroups, of either version. */
export const hasCgroups = ['memory', 'cgroup.controllers'].some(name => existsSync(`/sys/fs/cgroup/${name}`));

/** Folders that runtimes write to whatever their configuration says: the host has its own. */
const privateFolders = ['/run', '/var/lib', '/dev/shm'];

export async function createRuntimeHost(): Promise<RuntimeHost> {
  const undo: Undo = [];
  try {
    return await makeRuntimeHost(undo);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

/** What takes a part of the host away again, last first. */
type Undo = (() => unknown)[];

/** One that fails keeps no other from being done. */
async function undoAll(undo: Undo): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'the host could not be removed completely');
}

async function makeRuntimeHost(undo: Undo): Promise<RuntimeHost> {
  // Sockets must have short paths.
  const directory = await mkdtemp(join(tmpdir(), 'calico-rt-'));
  undo.push(async () => rm(directory, { recursive: true, force: true }));
  const net = createTestNet();
  undo.push(async () => net.remove());
  const holder = await holdNamespaces(await net.add('host'));
  undo.push(async () => holder.end());
  const { inside } = holder;
  for (const folder of privateFolders)
    await runChecked('nsenter', [...inside, 'mount', '-t', 'tmpfs', 'tmpfs', folder]);
  /** the same folder, seen from outside */
  const runDir = `/proc/${String(holder.pid)}/root/run/calico`;
  const installation = await builtInstallation();
  undo.push(() => {
    installation.remove();
  });
  const place: AgentPlace = {
    program: ['nsenter', ...inside, join(installation.paths.bin, 'calico-node')],
    directory,
    nodeName: 'n1',
    netns: net.path('host'),
    // Podman hands no environment to the plugins when it cleans up: all must be in the usual places.
    env: { CALICO_RUN_DIR: '/run/calico', CALICO_STATE_DIR: '/var/lib/calico' },
    runDir,
  };
  for (const folder of ['plugins', 'networks']) mkdirSync(join(directory, folder));
  await buildLauncher(join(directory, 'plugins'));
  for (const plugin of readdirSync('/usr/lib/cni'))
    symlinkSync(join('/usr/lib/cni', plugin), join(directory, 'plugins', plugin));
  const store = await openStore({ type: 'sqlite', directory: join(directory, 'store') });
  undo.push(async () => store.close());
  const cgroup = `/calt-${String(process.pid)}-${randomBytes(3).toString('hex')}`;
  undo.push(async () => endCgroup(cgroup));
  let agent: AgentProcess | undefined;
  const stopAgent: RuntimeHost['stopAgent'] = async signal => {
    await agent?.end(signal);
    agent = undefined;
  };
  undo.push(async () => stopAgent());
  return {
    net,
    store,
    client: createResourceClient(store),
    directory,
    image: await buildImage(directory, 'localhost/box:1'),
    cgroup,
    run: async (program, ...args) =>
      runProgram('nsenter', [...inside, program, ...args], { timeoutMs: 60_000 }),
    start: (program, ...args) => {
      holder.start(program, args);
    },
    network: (name, ...plugins) => {
      const text = JSON.stringify({ cniVersion: '1.0.0', name, plugins });
      writeFileSync(join(directory, 'networks', `10-${name}.conflist`), text, { mode: 0o600 });
    },
    startAgent: async () => {
      agent = await startAgentProcess(place);
    },
    stopAgent,
    remains: async () => remains({ net, store, runDir }),
    close: async () => undoAll(undo),
  };
}
