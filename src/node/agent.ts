import { mkdir } from 'node:fs/promises';
import type { Clock, Logger } from '../base/index.js';
import { askSocket, CalicoError, isCalicoError, messageOf, serveOnSocket } from '../base/index.js';
import { createBird } from '../bgp/index.js';
import { createCniHandler, replayQueuedDeletes, startCniServer } from '../cni/index.js';
import type { CniHandler } from '../cni/index.js';
import { createEndpointPlumbing, createNftApplier, createNftDataplane } from '../dataplane/index.js';
import type { EndpointPlumbing, NftDataplane } from '../dataplane/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import { createAllocator, watchBlocks } from '../ipam/index.js';
import { openHostNetwork } from '../netlink/index.js';
import type { HostNetwork } from '../netlink/index.js';
import { createPolicyGraph } from '../policy/index.js';
import { BgpSync } from './bgp-sync.js';
import type { AgentConfig } from './config.js';
import { Parts, startJob } from './lifecycle.js';
import { PolicySync } from './policy-sync.js';
import { Programmed } from './programmed.js';
import { registerNode } from './register.js';
import { statusHandler } from './status.js';
import type { AgentStatus } from './status.js';

export interface AgentContext {
  readonly config: AgentConfig;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A running agent. */
export interface Agent {
  /** Ends the agent; the kernel and the BGP daemon stay as they are. */
  stop(): Promise<void>;
  /** resolves when the agent cannot go on, with the reason; its owner stops it */
  readonly failed: Promise<unknown>;
}

/** The routing protocol number that BIRD gives its routes in the kernel (RTPROT_BIRD). */
const BIRD_ROUTES = 12;

/** The control socket's path: what `calicoctl node` and the lab ask. */
function controlSocketPath(config: AgentConfig): string {
  return `${config.runDir}/control.sock`;
}

async function prepareDirectories(config: AgentConfig): Promise<void> {
  for (const directory of [config.stateDir, config.runDir, config.logDir]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  const answered = await askSocket(controlSocketPath(config), '/live').catch(() => undefined);
  if (answered !== undefined) {
    throw new CalicoError(
      'already-exists',
      `another calico-node runs with ${config.runDir}: stop it, or set CALICO_RUN_DIR`,
    );
  }
}

interface Wiring extends AgentContext {
  readonly parts: Parts;
  readonly network: HostNetwork;
  readonly nft: NftDataplane;
  readonly plumbing: EndpointPlumbing;
  readonly store: Store;
  readonly client: ResourceClient;
  readonly fail: (error: unknown) => void;
}

/** Policy from the datastore to the kernel; returns when all that exists is in force. */
async function startPolicy(
  wiring: Wiring,
  programmed: Programmed,
  bgp: BgpSync | undefined,
): Promise<PolicySync> {
  const { parts, client, nft, plumbing, config, log, fail } = wiring;
  const sync = new PolicySync({
    graph: createPolicyGraph(config.nodeName),
    dataplanes: [
      { name: 'nftables', dataplane: nft },
      { name: 'endpoints', dataplane: plumbing },
    ],
    programmed,
    log: log.with({ part: 'policy' }),
  });
  await parts.start({
    name: 'policy',
    start: async () =>
      await startJob(async (signal, ready) => {
        for await (const event of client.watch({ signal })) {
          bgp?.handleCluster(event);
          await sync.handle(event);
          if (sync.ready) ready();
        }
      }, fail),
    stop: job => job.stop(),
  });
  return sync;
}

/** The BGP daemon and the watch of blocks that feeds it; undefined in policy-only mode. */
async function startBgp(
  wiring: Wiring,
): Promise<{ sync: BgpSync; status: () => Promise<unknown> } | undefined> {
  const { parts, config, log, clock, network, store, fail } = wiring;
  if (config.backend === 'none') return undefined;
  const bird = await parts.start({
    name: 'bird',
    start: async () =>
      await Promise.resolve(
        createBird({
          runDir: config.runDir,
          logDir: config.logDir,
          hasBirdRoutes: () => network.routes().some(route => route.protocol === BIRD_ROUTES),
          log: log.with({ part: 'bird' }),
          clock,
        }),
      ),
    stop: daemon => daemon.close(),
  });
  const sync = new BgpSync({
    nodeName: config.nodeName,
    interfacePrefixes: config.interfacePrefixes,
    apply: text => bird.apply(text),
    log: log.with({ part: 'bgp' }),
  });
  await parts.start({
    name: 'blocks',
    start: async () =>
      await startJob(async (signal, ready) => {
        for await (const event of watchBlocks(store, { signal })) {
          sync.handleBlocks(event);
          ready();
        }
      }, fail),
    stop: async job => {
      await job.stop();
      await sync.settled();
    },
  });
  return { sync, status: async () => await bird.status() };
}

async function startCni(wiring: Wiring, programmed: Programmed): Promise<CniHandler> {
  const { parts, config, log, clock, store, client, network } = wiring;
  const handler = createCniHandler({
    node: config.nodeName,
    client,
    allocator: createAllocator({ store, clock, log: log.with({ part: 'ipam' }) }),
    network,
    waitUntilProgrammed: (endpointId, revision, signal) => programmed.until(endpointId, revision, signal),
    log: log.with({ part: 'cni' }),
    clock,
  });
  await replayQueuedDeletes({ stateDir: config.stateDir, handle: handler, log: log.with({ part: 'cni' }) });
  await parts.start({
    name: 'cni',
    start: async () =>
      await startCniServer({
        socketPath: `${config.runDir}/cni.sock`,
        handle: handler,
        log: log.with({ part: 'cni' }),
      }),
    stop: server => server.close(),
  });
  return handler;
}

/**
 * Starts the agent of this host. The order is the order of safety: what is unknown is closed before the
 * datastore is asked, policy is in force before a route leads to a workload, and a container gets its network
 * only when all of that stands.
 */
export async function startAgent(context: AgentContext): Promise<Agent> {
  const { config, log, clock } = context;
  await prepareDirectories(config);
  const parts = new Parts(log, clock);
  const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
  const network = await parts.start({
    name: 'network',
    start: async () => await openHostNetwork(),
    stop: opened => {
      opened.close();
    },
  });
  const state: { sync?: PolicySync; bgp?: () => Promise<unknown>; plumbing?: EndpointPlumbing } = {};
  await parts.start({
    name: 'control socket',
    start: async () =>
      await serveOnSocket(
        controlSocketPath(config),
        statusHandler(async () => await statusOf(config, state)),
      ),
    stop: server =>
      new Promise<void>(resolve => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  });
  const nft = await parts.start({
    name: 'nft',
    start: async () => {
      const dataplane = createNftDataplane({
        applier: createNftApplier(),
        config: {
          interfacePrefixes: config.interfacePrefixes,
          endpointToHostAction: config.endpointToHostAction,
        },
        log: log.with({ part: 'nft' }),
        clock,
      });
      await dataplane.start();
      return dataplane;
    },
    stop: dataplane => dataplane.stop(),
  });
  const plumbing = await parts.start({
    name: 'endpoints',
    start: async () => {
      const endpoints = createEndpointPlumbing({
        network,
        config: { interfacePrefixes: config.interfacePrefixes, ipv6: true },
        log: log.with({ part: 'endpoints' }),
        clock,
      });
      endpoints.start();
      return await Promise.resolve(endpoints);
    },
    stop: endpoints => endpoints.stop(),
  });
  state.plumbing = plumbing;
  const store = await parts.start({
    name: 'datastore',
    start: async () => await openStore(config.store),
    stop: opened => opened.close(),
  });
  const client = createResourceClient(store, { clock });
  const view = { links: network.links(), addresses: network.addresses(), routes: network.routes() };
  await registerNode(config, client, view, log);
  const wiring: Wiring = { ...context, parts, network, nft, plumbing, store, client, fail };
  const programmed = new Programmed();
  const bgp = await startBgp(wiring);
  state.sync = await startPolicy(wiring, programmed, bgp?.sync);
  if (bgp !== undefined) state.bgp = bgp.status;
  await startCni(wiring, programmed);
  log.info('Calico node started successfully', { revision: state.sync.revision });
  return {
    stop: async () => {
      await parts.stop();
    },
    failed,
  };
}

async function statusOf(
  config: AgentConfig,
  state: {
    readonly sync?: PolicySync;
    readonly bgp?: () => Promise<unknown>;
    readonly plumbing?: EndpointPlumbing;
  },
): Promise<AgentStatus> {
  const ready = state.sync?.ready ?? false;
  return {
    node: config.nodeName,
    pid: process.pid,
    ready,
    reasons: ready ? (state.sync?.problems ?? []) : ['the datastore has not been read yet'],
    revision: state.sync?.revision ?? 0,
    endpoints: [...(state.plumbing?.states() ?? [])].map(([id, endpoint]) => ({ id, ...endpoint })),
    bgp: await state.bgp?.().catch((error: unknown) => {
      if (isCalicoError(error)) return { error: messageOf(error) };
      throw error;
    }),
  };
}
