import {
  abandonedAttachments,
  createCniHandler,
  liveAddresses,
  openAttachmentRecords,
  replayQueuedDeletes,
  startCniServer,
  undoInterrupted,
} from '../cni/index.js';
import { createResourceClient, deferred } from '../datastore/index.js';
import { createAllocator, runAutoRepair } from '../ipam/index.js';
import type { Allocator, AutoRepairParts } from '../ipam/index.js';
import { startJob } from './lifecycle.js';
import type { Programmed } from './programmed.js';
import type { Wiring } from './wiring.js';
import type { WorkloadMtu } from './workload-mtu.js';

/** Answers the launchers of container runtimes, after what a crash and the time without an agent left to do. */
export async function startCni(
  wiring: Wiring,
  { programmed, mtu }: { readonly programmed: Programmed; readonly mtu: WorkloadMtu },
): Promise<void> {
  const { parts, config, log, clock, store, user, network, trim } = wiring;
  const author = { command: 'calico (CNI)', user, host: config.nodeName };
  // A repair that a power loss undoes is made again.
  const early = deferred(store);
  const client = createResourceClient(early, { clock, author, trimDue: trim.due });
  const records = openAttachmentRecords(config.runDir);
  const allocator = createAllocator({ store: early, clock, log: log.with({ part: 'ipam' }) });
  const handler = createCniHandler({
    node: config.nodeName,
    client,
    allocator,
    flush: async () => await store.flush(),
    records,
    network,
    defaultMtu: () => mtu.current(),
    waitUntilProgrammed: (endpointId, revision, signal) => programmed.until(endpointId, revision, signal),
    log: log.with({ part: 'cni' }),
    clock,
  });
  const catchingUp = { handle: handler, log: log.with({ part: 'cni' }) };
  await undoInterrupted({ ...catchingUp, records });
  await replayQueuedDeletes({ ...catchingUp, stateDir: config.stateDir });
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
  const abandoned = {
    node: config.nodeName,
    allocator,
    records,
    network,
    log: log.with({ part: 'cni' }),
    handle: handler,
  };
  await startRepair(wiring, allocator, {
    liveAddresses: async () => liveAddresses(network, records),
    others: async () => abandonedAttachments(abandoned),
  });
}

/** No peer cleans up after a host outside Kubernetes: each agent frees what its own lost. */
async function startRepair(
  { parts, config, log, clock, store, client, fail }: Wiring,
  allocator: Allocator,
  seen: Pick<AutoRepairParts, 'liveAddresses' | 'others'>,
): Promise<void> {
  const { nodeName: node } = config;
  const repair = {
    node,
    store,
    client,
    allocator,
    clock,
    log: log.with({ part: 'ipam' }),
    ...seen,
  };
  await parts.start({
    name: 'ipam repair',
    start: async () =>
      await startJob(async (signal, ready) => {
        ready();
        await runAutoRepair(repair, signal);
      }, fail),
    stop: job => job.stop(),
  });
}
