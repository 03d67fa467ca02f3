import {
  createCniHandler,
  openAttachmentRecords,
  replayQueuedDeletes,
  startCniServer,
  undoInterrupted,
} from '../cni/index.js';
import { createAllocator } from '../ipam/index.js';
import type { Programmed } from './programmed.js';
import type { Wiring } from './wiring.js';

/** Answers the launchers of container runtimes, after what a crash and the time without an agent left to do. */
export async function startCni(wiring: Wiring, programmed: Programmed): Promise<void> {
  const { parts, config, log, clock, store, client, network } = wiring;
  const records = openAttachmentRecords(config.stateDir);
  const handler = createCniHandler({
    node: config.nodeName,
    client,
    allocator: createAllocator({ store, clock, log: log.with({ part: 'ipam' }) }),
    records,
    network,
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
}
