import { CalicoError, messageOf } from '../base/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import { createPolicyGraph } from '../policy/index.js';
import { ClusterWatch } from './cluster-watch.js';
import { startJob } from './lifecycle.js';
import { pacedEvents } from './paced-events.js';
import type { Pace } from './paced-events.js';
import { PolicySync } from './policy-sync.js';
import type { Programmed } from './programmed.js';
import type { Routes } from './start-routes.js';
import type { FollowedCluster, Ground, Wiring } from './wiring.js';

/** Why nothing of the datastore counts at the moment. */
export const notReady =
  'the datastore says that it is not ready (/calico/v1/Ready is not true); what is in force stays';

/** Follows the cluster up to the first whole listing, and takes the agent's own settings out of it. */
export async function startCluster(
  { parts, client, clock, log, settings }: Ground,
  onWait: (reason: string) => void,
): Promise<FollowedCluster> {
  return await parts.start({
    name: 'cluster',
    limitMs: Infinity,
    start: async () => {
      const watch = new ClusterWatch({ client, clock, log: log.with({ part: 'datastore' }) });
      const ending = new AbortController();
      const events = watch.events(ending.signal);
      const known: ClusterEvent[] = [];
      while (!known.some(event => event.inSync) || known.at(-1)?.ready === false) {
        const next = await events.next();
        if (next.done === true) throw new CalicoError('unavailable', 'the watch of the datastore ended');
        known.push(next.value);
        if (next.value.ready === false) onWait(notReady);
      }
      for (const event of known) await settings.handle(event);
      return {
        watch,
        events: resumed(known, events),
        end: () => {
          ending.abort();
        },
      };
    },
    stop: cluster => {
      cluster.end();
    },
  });
}

/** Those that were read ahead, then the rest; nothing is kept of what was taken. */
async function* resumed(
  known: ClusterEvent[],
  rest: AsyncIterable<ClusterEvent>,
): AsyncGenerator<ClusterEvent, void> {
  for (let event = known.shift(); event !== undefined; event = known.shift()) yield event;
  yield* rest;
}

interface PolicyParts {
  readonly programmed: Programmed;
  /** of the changes on their way to the kernel */
  readonly pace: Pace;
  /** of what else acts on the cluster */
  readonly handleCluster: Routes['handleCluster'];
  /** told when the datastore says that it may not be used, and when it may again */
  readonly onHeld: (held: boolean) => void;
}

/** Policy from the datastore to the kernel; returns when all that exists is in force. */
export async function startPolicy(
  wiring: Wiring,
  { programmed, pace, handleCluster, onHeld }: PolicyParts,
): Promise<PolicySync> {
  const { parts, cluster, nft, plumbing, hostStates, settings, measurements, config, clock, log, fail } =
    wiring;
  const sync = new PolicySync({
    graph: createPolicyGraph(config.nodeName),
    dataplanes: [
      { name: 'nftables', dataplane: nft },
      { name: 'endpoints', dataplane: plumbing },
      { name: 'host endpoints', dataplane: hostStates },
    ],
    programmed,
    measurements,
    clock,
    log: log.with({ part: 'policy' }),
  });
  await parts.start({
    name: 'policy',
    start: async () =>
      await startJob(async (_signal, ready) => {
        for await (const event of pacedEvents(cluster.events, { pace, onHeld })) {
          await settings.handle(event);
          try {
            handleCluster(event);
          } catch (error) {
            log.error('a change did not reach the routes', { error: messageOf(error) });
          }
          await sync.handle(event);
          if (sync.started) ready();
        }
      }, fail),
    stop: async job => {
      cluster.end();
      // A batch that the kernel refuses again and again would hold the job.
      await nft.stop();
      await job.stop();
    },
  });
  return sync;
}
