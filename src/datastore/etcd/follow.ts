import { ConnectError } from '@connectrpc/connect';
import { isCalicoError } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import type { WatchEvent } from '../store.js';
import { changeOf, coveringRange, revisionOf } from './messages.js';
import { readListing } from './read-listing.js';
import type { WatchResponse } from './rpc_pb.js';
import type { Servers } from './servers.js';
import { openWatch } from './watch-stream.js';

export interface Following {
  /** for listings */
  readonly calls: Servers;
  /** for the streams: large answers on the same connection would hold events back for seconds */
  readonly watches: Servers;
  /** disjoint and in order */
  readonly prefixes: readonly string[];
  readonly afterRevision: number | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** A stream that ends sooner counts as a failure: a server that drops us must not be asked again at once. */
const soundAfterMs = 1000;
const maxBackOffMs = 2000;

/**
 * What happens under the prefixes. One watch of etcd covers them all, because only within one watch the
 * changes of a revision come in one message.
 *
 *   list ──► watch after the listing ──► lost: watch after the last revision seen ──┐
 *    ▲         ▲                      └► forgotten, or another history ──┐          │
 *    │         └─────────────────────────────────────────────────────────┼──────────┘
 *    └───────────────────────────────────────────────────────────────────┘
 */
export async function* follow(following: Following): AsyncGenerator<WatchEvent, void> {
  const { calls, prefixes, signal, clock } = following;
  let position = following.afterRevision;
  let failures = 0;
  while (!signal.aborted) {
    const started = clock.monotonic();
    try {
      if (position === undefined) {
        const listing = await readListing(calls, prefixes);
        if (signal.aborted) return;
        position = listing.revision;
        yield { kind: 'listing', listing };
      }
      for await (const step of steps(following, position)) {
        if (signal.aborted) return;
        position = step.position;
        if (step.event !== undefined) yield step.event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ConnectError) && !isCalicoError(error, 'unavailable', 'exhausted')) throw error;
    }
    failures = clock.monotonic() - started > soundAfterMs ? 0 : failures + 1;
    // The first time at once: most often the server was restarted, or another one is there.
    if (failures > 1) await pause(following, clock.random() * Math.min(maxBackOffMs, 25 * 2 ** failures));
  }
}

interface Step {
  readonly event?: WatchEvent;
  /** all up to here has been told; undefined: begin with a listing */
  readonly position: number | undefined;
}

/** One stream of a watch, until it ends. */
async function* steps(
  { watches, prefixes, signal }: Following,
  afterRevision: number,
): AsyncGenerator<Step, void> {
  const range = coveringRange(prefixes);
  if (range === undefined) {
    await aborted(signal);
    return;
  }
  const over = new AbortController();
  const request = { range, afterRevision, signal: AbortSignal.any([signal, over.signal]) };
  try {
    const stream = await watches.read(async (channel, options) => await openWatch(channel, options, request));
    if (stream.behind) yield { position: undefined };
    else
      for await (const response of stream.responses) {
        if (response.canceled) {
          if (response.compactRevision > 0n) yield { position: undefined };
          return;
        }
        yield stepOf(response, prefixes);
      }
  } finally {
    over.abort();
  }
}

function stepOf({ header, events }: WatchResponse, prefixes: readonly string[]): Step {
  const changes = events.flatMap(event => changeOf(event) ?? []);
  const last = changes.at(-1);
  // Without events it is word of progress: nothing has happened up to here.
  if (last === undefined) return { position: revisionOf(header) };
  const revision = last.kind === 'put' ? last.entry.modRevision : last.revision;
  const ours = changes.filter(change => {
    const key = change.kind === 'put' ? change.entry.key : change.key;
    return prefixes.some(prefix => key.startsWith(prefix));
  });
  if (ours.length === 0) return { position: revision };
  return { position: revision, event: { kind: 'changes', revision, changes: ours } };
}

async function pause({ clock, signal }: Following, ms: number): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    // Aborted: the loop sees it.
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve());
  if (!signal.aborted) await promise;
}
