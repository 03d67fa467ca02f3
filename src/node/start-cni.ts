import { createCniHandler, replayQueuedDeletes, startCniServer } from '../cni/index.js';
import { createAllocator } from '../ipam/index.js';
import type { Programmed } from './programmed.js';
import type { Wiring } from './wiring.js';

/** Answers the launchers of container runtimes, first of all what they left while no agent ran. */
export async function startCni(wiring: Wiring, programmed: Programmed): Promise<void> {
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
}
