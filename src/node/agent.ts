import { mkdir } from 'node:fs/promises';
import { askSocket, CalicoError, closeServer, serveOnSocket } from '../base/index.js';
import { createResourceClient, openStore, storeExists } from '../datastore/index.js';
import type { Store } from '../datastore/index.js';
import { openHostNetwork } from '../netlink/index.js';
import type { HostNetwork } from '../netlink/index.js';
import { awaitDatastore } from './await-datastore.js';
import type { AgentConfig } from './config.js';
import { ensureDefaultPools } from './ensure-default-pools.js';
import { FelixSettings } from './felix-config/index.js';
import { hasIpv6 } from './host-ipv6.js';
import { Parts } from './lifecycle.js';
import { Measurements } from './measurements.js';
import type { MetricSources } from './metrics.js';
import { Pace } from './paced-events.js';
import { Programmed } from './programmed.js';
import { registerNode } from './register.js';
import { startHistoryTrim } from './history-trim.js';
import { startCni } from './start-cni.js';
import { startHealth } from './start-health.js';
import {
  startHostInterfaces,
  startHostStates,
  startNft,
  startNftRefresh,
  startPlumbing,
} from './start-kernel.js';
import { notReady, startCluster, startPolicy } from './start-policy.js';
import { startReports } from './start-reports.js';
import { startRoutes } from './start-routes.js';
import { datastoreStatus, dropsOf, statusHandler } from './status.js';
import type { AgentState } from './status.js';
import type { AgentContext, Ground, Wiring } from './wiring.js';
import { WorkloadMtu } from './workload-mtu.js';

/** A running agent. */
export interface Agent {
  /** Ends the agent; the kernel and the BGP daemon stay as they are. */
  stop(): Promise<void>;
  /** resolves when the agent cannot go on, with the reason; its owner stops it */
  readonly failed: Promise<unknown>;
}

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

/**
 * Starts the agent of this host. The order is the order of safety: what is unknown is closed before the
 * datastore is asked, policy is in force before a route leads to a workload, and a container gets its network
 * only when all of that stands.
 */
export async function startAgent(context: AgentContext): Promise<Agent> {
  const { config, local, log, clock, signal } = context;
  const settings = new FelixSettings({ local, node: config.nodeName, log });
  await settings.follow(({ logLevel }) => {
    log.setLevel(logLevel);
  });
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
  const measurements = new Measurements(clock.monotonic());
  const state: AgentState = {
    network,
    config,
    clock,
    settings,
    measurements,
    waiting: 'starting',
    silent: () => [],
    isHeld: false,
  };
  const answer = statusHandler(state);
  await parts.start({
    name: 'control socket',
    start: async () => await serveOnSocket(controlSocketPath(config), answer),
    stop: async server => {
      await closeServer(server);
    },
  });
  const workloadRoutes = (): number => countRoutes(network, settings.values.routeProtocol);
  const sources: MetricSources = {
    node: config.nodeName,
    measurements,
    cluster: () => state.cluster,
    isInSync: () => state.sync?.ready ?? false,
    datastoreAnswers: async () => (await datastoreStatus(state)).answers,
    routes: workloadRoutes,
    drops: async () => await dropsOf(state),
    loggedErrors: () => log.errorCount(),
    table: () => state.nft?.size(),
  };
  state.silent = await startHealth({ parts, settings, clock, log, health: answer, sources });
  const nft = await startNft({ config, parts, settings, measurements, log, clock });
  state.nft = nft;
  const store = await parts.start({
    name: 'datastore',
    limitMs: Infinity,
    start: async () =>
      await awaitDatastore(async () => await openDatastore(config, workloadRoutes), {
        clock,
        log,
        signal,
        onWait: reason => (state.waiting = reason),
      }),
    stop: opened => opened.close(),
  });
  state.store = store;
  const author = { command: 'calico-node', user: context.user, host: config.nodeName };
  const trim = await parts.start({
    name: 'history',
    start: async () => await startHistoryTrim({ store, clock }, fail),
    stop: job => job.stop(),
  });
  const client = createResourceClient(store, { clock, author, trimDue: trim.due });
  const ground: Ground = {
    ...context,
    parts,
    settings,
    measurements,
    network,
    nft,
    store,
    client,
    trim,
    fail,
  };
  await startOnDatastore(ground, state);
  return {
    stop: async () => {
      await parts.stop();
    },
    failed,
  };
}

function countRoutes(network: HostNetwork, protocol: number): number {
  return network.routes().filter(route => route.protocol === protocol).length;
}

/** An embedded store that is not there would be made anew, and an empty one takes every workload's routes away. */
async function openDatastore({ store }: AgentConfig, workloadRoutes: () => number): Promise<Store> {
  if (store.type === 'sqlite' && workloadRoutes() > 0 && !(await storeExists(store))) {
    throw new CalicoError(
      'unavailable',
      `there is no datastore in ${store.directory}, though this host has workloads: ` +
        "bring it back, or run 'calico-node cleanup' to begin anew",
    );
  }
  return await openStore(store.type === 'sqlite' ? { ...store, longLived: true } : store);
}

/** Makes this host, and in a new cluster the pools, known to all. */
async function introduce({ config, client, network, log }: Ground): Promise<void> {
  const view = { links: network.links(), addresses: network.addresses(), routes: network.routes() };
  await registerNode({ config, client, view, log });
  await ensureDefaultPools({
    pools: config.startup.pools,
    client,
    view,
    ipv6: hasIpv6(network),
    log,
  });
}

/** The parts that need the datastore; when one does not start, all parts are stopped. */
async function startOnDatastore(ground: Ground, state: AgentState): Promise<void> {
  const { parts, config, network, log, clock, signal } = ground;
  state.waiting = 'the datastore has not been read yet';
  await parts.start({
    name: 'registration',
    limitMs: Infinity,
    start: async () => {
      await awaitDatastore(async () => await introduce(ground), {
        clock,
        log,
        signal,
        onWait: reason => (state.waiting = reason),
      });
    },
    stop: () => undefined,
  });
  const cluster = await startCluster(ground, reason => (state.waiting = reason));
  state.cluster = cluster.watch;
  await startHostInterfaces(ground);
  const plumbing = await startPlumbing(ground);
  state.plumbing = plumbing;
  const hostStates = await startHostStates(ground);
  state.hostStates = hostStates;
  const wiring: Wiring = { ...ground, cluster, plumbing, hostStates };
  const pace = new Pace(clock);
  const programmed = new Programmed(() => pace.hurry());
  const routes = await startRoutes(wiring);
  state.routes = routes;
  const mtu = new WorkloadMtu(config.nodeName, network);
  const sync = await startPolicy(wiring, {
    programmed,
    pace,
    handleCluster: event => {
      mtu.handleCluster(event);
      routes.handleCluster(event);
    },
    onHeld: held => {
      state.isHeld = held;
      if (held) log.warn(notReady);
      else log.info('the datastore is ready again');
    },
  });
  ground.measurements.firstApplySeconds = (clock.monotonic() - ground.measurements.startedAt) / 1000;
  await startNftRefresh(ground);
  await startReports(wiring);
  await startCni(wiring, { programmed, mtu });
  // Only now: whoever sees "ready" may attach a container at once.
  state.sync = sync;
  log.info('Calico node started successfully', { revision: sync.revision });
}
