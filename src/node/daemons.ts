import { createBird, Gobgp, renderBird } from '../bgp/index.js';
import type { BgpDaemon, BgpState } from '../bgp/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { AgentConfig } from './config.js';
import { gobgpKernelRoutes } from './gobgp-kernel-routes.js';

/** The routing protocol number that BIRD gives its routes in the kernel (RTPROT_BIRD). */
const BIRD_ROUTES = 12;

/** A BGP daemon of any kind, under the agent's care. */
export interface RoutingDaemon {
  apply(state: BgpState): Promise<void>;
  status(): Promise<unknown>;
  /** Ends the care, not the daemon. */
  close(): Promise<void>;
}

export interface DaemonParts {
  readonly config: Pick<AgentConfig, 'runDir' | 'logDir'>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly network: HostNetwork;
}

/** The daemon of a backend; nothing is started before the first `apply`. */
export function createDaemon(backend: 'bird' | 'gobgp', parts: DaemonParts): RoutingDaemon {
  if (backend === 'gobgp') return gobgpOf(parts);
  const bird = birdOf(parts);
  return {
    apply: async state => {
      await bird.apply(renderBird(state));
    },
    status: async () => await bird.status(),
    close: async () => {
      await bird.close();
    },
  };
}

/**
 * Ends the daemon that an earlier start with another backend left: two of them cannot listen on one address. The
 * routes of BIRD stay until others take their place; those of GoBGP are the agent's, and go.
 */
export async function endOtherDaemons(backend: AgentConfig['backend'], parts: DaemonParts): Promise<void> {
  if (backend !== 'bird') {
    const bird = birdOf(parts);
    if (bird.pid() === undefined) await bird.close();
    else await bird.stop({ graceful: true });
  }
  if (backend !== 'gobgp') await endGobgp(parts);
}

/** Ends our GoBGP and removes the routes that were written for it; how many. */
export async function endGobgp(parts: DaemonParts): Promise<number> {
  await gobgpOf(parts).stop();
  const kernel = gobgpKernelRoutes(parts.network);
  const routes = kernel.list();
  for (const [destination, gateway] of routes) kernel.remove(destination, gateway);
  return routes.size;
}

function birdOf({ config, log, clock, network }: DaemonParts): BgpDaemon {
  return createBird({
    runDir: config.runDir,
    logDir: config.logDir,
    hasBirdRoutes: () => network.routes().some(route => route.protocol === BIRD_ROUTES),
    log: log.with({ part: 'bird' }),
    clock,
  });
}

function gobgpOf({ config, log, clock, network }: DaemonParts): Gobgp {
  const { runDir, logDir } = config;
  return new Gobgp({
    runDir,
    logDir,
    kernel: gobgpKernelRoutes(network),
    log: log.with({ part: 'gobgp' }),
    clock,
  });
}
