import { createBird } from '../bgp/index.js';
import { watchBlocks } from '../ipam/index.js';
import { BgpSync } from './bgp-sync.js';
import { startJob } from './lifecycle.js';
import type { Wiring } from './wiring.js';

/** The routing protocol number that BIRD gives its routes in the kernel (RTPROT_BIRD). */
const BIRD_ROUTES = 12;

/** The BGP daemon and the watch of blocks that feeds it; undefined in policy-only mode. */
export async function startBgp(
  wiring: Wiring,
): Promise<{ sync: BgpSync; status: () => Promise<unknown> } | undefined> {
  const { parts, config, settings, log, clock, network, store, fail } = wiring;
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
    interfacePrefixes: settings.values.interfacePrefixes,
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
