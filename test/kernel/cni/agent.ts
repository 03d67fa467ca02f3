import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked, runProgram, silentLogger, systemClock } from '../../../src/base/index.js';
import type { ProgramResult } from '../../../src/base/index.js';
import {
  abandonedAttachments,
  createCniHandler,
  openAttachmentRecords,
  replayQueuedDeletes,
  startCniServer,
  undoInterrupted,
} from '../../../src/cni/index.js';
import type { CniParts } from '../../../src/cni/index.js';
import { createResourceClient, deferred, openStore } from '../../../src/datastore/index.js';
import type { ResourceClient, Store, StoreConfig } from '../../../src/datastore/index.js';
import { createAllocator } from '../../../src/ipam/index.js';
import { openHostNetwork } from '../../../src/netlink/index.js';
import type { HostNetwork } from '../../../src/netlink/index.js';
import { createTestNet } from '../../support/netns.js';
import type { TestNet } from '../../support/netns.js';

const root = new URL('../../../', import.meta.url).pathname;

/** The part of the agent that serves CNI, in a namespace of its own for a host, and the launchers that ask it. */
export interface CniHost {
  readonly net: TestNet;
  readonly store: Store;
  readonly client: ResourceClient;
  readonly records: CniParts['records'];
  /** the host's network */
  readonly network: HostNetwork;
  /** where the launchers are, and the first folder of CNI_PATH */
  readonly directory: string;
  readonly runDir: string;
  readonly stateDir: string;
  /** as many as `waitUntilProgrammed` was asked for */
  readonly waits: { readonly endpointId: string; readonly revision: number }[];
  /** from now on the wait for policy does this */
  onWait(wait: CniParts['waitUntilProgrammed']): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  replay(): Promise<{ readonly done: number; readonly kept: number }>;
  /** Does what a starting agent does about work that a crash cut off; returns how many there were. */
  undoInterrupted(): Promise<number>;
  /** Carries out what the agent's repair does about containers that went without a DEL; what it says. */
  repairAbandoned(): Promise<readonly string[]>;
  /** Names of the interfaces of workloads, when nothing goes on in the background. */
  links(): Promise<readonly string[]>;
  /** All that attachments leave in the store and on disk, without blocks, which stay with their node. */
  traces(): Promise<readonly string[]>;
  call(call: CniCall): Promise<ProgramResult>;
  /** Plays the dataplane, which sets the host's routes to what an ADD answered; those of other plugins are passed over. */
  setHostRoutes(result: AddResult): void;
  close(): Promise<void>;
}

export interface CniCall {
  readonly command: string;
  /** default `calico`; another than ours is one of Debian's */
  readonly program?: string;
  readonly id?: string;
  readonly ifName?: string;
  /** path */
  readonly netns?: string;
  readonly args?: string;
  /** merged into a plain network configuration */
  readonly config?: object;
  readonly stdin?: string;
}

/** What an ADD answers since 0.3.0. */
export interface AddResult {
  readonly interfaces: readonly { readonly name: string; readonly mac: string }[];
  readonly ips: readonly { readonly address: string; readonly interface?: number }[];
}

/** Builds the launcher where it is tested, with the same flags as the product. */
export async function buildLauncher(directory: string): Promise<void> {
  const target = join(directory, 'calico');
  const flags = [
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-std=c11',
    '-o',
    target,
    `${root}native/calico-cni.c`,
  ];
  await runChecked('cc', flags);
  await runChecked('ln', ['-sf', 'calico', join(directory, 'calico-ipam')]);
}

export async function createCniHost(
  options: {
    readonly wrap?: (parts: CniParts) => CniParts;
    /** default an embedded one; it is closed with the host */
    readonly datastore?: StoreConfig;
  } = {},
): Promise<CniHost> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-cni-'));
  await buildLauncher(directory);
  const net = createTestNet();
  const network = await openHostNetwork({ netns: await net.add('host') });
  const durable = await openStore(
    options.datastore ?? { type: 'sqlite', directory: join(directory, 'store'), synchronous: 'normal' },
  );
  const store = deferred(durable);
  const client = createResourceClient(store);
  const waits: { endpointId: string; revision: number }[] = [];
  let wait: CniParts['waitUntilProgrammed'] = async () => undefined;
  const runDir = join(directory, 'run');
  const stateDir = join(directory, 'state');
  const parts: CniParts = {
    node: 'n1',
    records: openAttachmentRecords(runDir),
    client,
    flush: async () => await store.flush(),
    network,
    defaultMtu: () => undefined,
    allocator: createAllocator({ store, clock: systemClock }),
    waitUntilProgrammed: async (endpointId, revision, signal) => {
      waits.push({ endpointId, revision });
      await wait(endpointId, revision, signal);
    },
    log: silentLogger,
    clock: systemClock,
  };
  const handle = createCniHandler(options.wrap?.(parts) ?? parts);
  let server: Awaited<ReturnType<typeof startCniServer>> | undefined;
  const stopServer = async (): Promise<void> => {
    await server?.close();
    server = undefined;
  };
  return {
    net,
    store,
    client,
    records: parts.records,
    network,
    directory,
    runDir,
    stateDir,
    waits,
    onWait: next => {
      wait = next;
    },
    startServer: async () => {
      server = await startCniServer({ socketPath: join(runDir, 'cni.sock'), handle, log: silentLogger });
    },
    stopServer,
    replay: async () => replayQueuedDeletes({ stateDir, handle, log: silentLogger }),
    undoInterrupted: async () => undoInterrupted({ records: parts.records, handle, log: silentLogger }),
    repairAbandoned: async () => {
      const found = await abandonedAttachments({ ...parts, handle });
      return (await Promise.all(found.map(async ({ mend }) => mend()))).flat();
    },
    links: async () => {
      await handle.idle?.();
      const names = network.links().map(({ name }) => name);
      return names.filter(name => name.startsWith('cali'));
    },
    traces: async () => {
      await handle.idle?.();
      const stored = (await store.list('/calico/')).entries.map(({ key }) => key);
      const recorded = parts.records.list().map(({ hostName, state }) => `${state} ${hostName}`);
      return [
        ...stored.filter(key => key.includes('/workload/') || key.includes('/ipam/v2/handle/')),
        ...recorded,
      ];
    },
    call: async call => {
      const { program = 'calico', command, id = 'c1', ifName = 'eth0', netns = '', args = '' } = call;
      const config = { cniVersion: '1.0.0', name: 'net1', type: 'calico', ipam: { type: 'calico-ipam' } };
      const path = join(program.startsWith('calico') ? directory : '/usr/lib/cni', program);
      return await runProgram('nsenter', [`--net=${net.path('host')}`, '--', path], {
        input: call.stdin ?? JSON.stringify({ ...config, ...call.config }),
        env: {
          CALICO_RUN_DIR: runDir,
          CALICO_STATE_DIR: stateDir,
          CNI_COMMAND: command,
          CNI_CONTAINERID: id,
          CNI_IFNAME: ifName,
          CNI_NETNS: netns,
          CNI_ARGS: args,
          CNI_PATH: `${directory}:/usr/lib/cni`,
        },
      });
    },
    setHostRoutes: ({ interfaces, ips }) => {
      const hostEnd = interfaces.findIndex(({ mac }) => mac === 'ee:ee:ee:ee:ee:ee');
      const interfaceIndex = network.linkByName(interfaces[hostEnd]?.name ?? '')?.index ?? 0;
      for (const { address } of ips.filter(each => each.interface === hostEnd + 1))
        network.replaceRoute({ destination: address, interfaceIndex, scope: 'link' });
    },
    close: async () => {
      await stopServer();
      network.close();
      await net.remove();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Adds pools as an operator does. */
export async function createPools(client: ResourceClient, ...cidrs: readonly string[]): Promise<void> {
  await client.write(
    cidrs.map(cidr => ({
      verb: 'create',
      resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr }, spec: {} },
    })),
  );
}
