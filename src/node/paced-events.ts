import type { Clock } from '../base/index.js';
import type { ClusterChange, ClusterEvent } from '../datastore/index.js';

/** So many events are passed on at once, and then one every tick (policy-enforcement 12.3). */
const BURST = 10;
const TICK_MS = 10;

/** Tokens that come back one a tick: changes that come alone never wait, nor does one that somebody waits for. */
export class Pace {
  #tokens = BURST;
  #since: number;
  #sleeping: AbortController | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  async take(): Promise<void> {
    this.#gain();
    while (this.#tokens === 0) {
      this.#sleeping = new AbortController();
      // Woken before its time, it has got its token.
      await this.#clock.sleep(TICK_MS, this.#sleeping.signal).catch(() => undefined);
      this.#sleeping = undefined;
      this.#gain();
    }
    this.#tokens -= 1;
  }

  /** What comes next, or waits already, is passed on at once. */
  hurry(): void {
    this.#tokens = Math.max(1, this.#tokens);
    this.#sleeping?.abort();
  }

  #gain(): void {
    const gained = Math.floor((this.#clock.monotonic() - this.#since) / TICK_MS);
    this.#tokens = Math.min(BURST, this.#tokens + gained);
    this.#since += gained * TICK_MS;
  }
}

/** What has arrived and was not passed on, as one event. */
class Waiting {
  #changes: ClusterChange[] = [];
  #revision = 0;
  #inSync = false;
  #isEmpty = true;
  #ended = false;
  #changed = Promise.withResolvers<void>();
  /** the datastore says that it may not be used */
  held = false;

  add({ changes, revision, inSync, ready }: ClusterEvent): void {
    this.#changes.push(...changes);
    this.#revision = Math.max(this.#revision, revision);
    this.#inSync ||= inSync;
    this.#isEmpty = false;
    this.held = ready === false;
    this.#changed.resolve();
  }

  /** Nothing more will arrive. */
  end(): void {
    this.#ended = true;
    this.#changed.resolve();
  }

  /** Resolves when something has happened since the last call. */
  async change(): Promise<void> {
    await this.#changed.promise;
    this.#changed = Promise.withResolvers();
  }

  get isOver(): boolean {
    return this.#ended && !this.isDue;
  }

  get isDue(): boolean {
    return !this.#isEmpty && !this.held;
  }

  take(): ClusterEvent {
    const event = { changes: this.#changes, revision: this.#revision, inSync: this.#inSync };
    [this.#changes, this.#inSync, this.#isEmpty] = [[], false, true];
    return event;
  }
}

/**
 * The events, with those together that arrive while others are worked on or too often: a cluster that changes all
 * the time costs a hundred transactions a second at most. While the datastore is not ready nothing is passed on.
 */
export async function* pacedEvents(
  events: AsyncIterable<ClusterEvent>,
  { pace, onHeld }: { readonly pace: Pace; readonly onHeld: (held: boolean) => void },
): AsyncGenerator<ClusterEvent, void> {
  const waiting = new Waiting();
  const reading = readInto(waiting, events, onHeld);
  // A failure is thrown below, once what came before it has been passed on.
  reading.catch(() => undefined);
  while (!waiting.isOver) {
    if (!waiting.isDue) {
      await waiting.change();
      continue;
    }
    await pace.take();
    // It may have been told meanwhile that nothing more counts.
    if (waiting.isDue) yield waiting.take();
  }
  await reading;
}

async function readInto(
  waiting: Waiting,
  events: AsyncIterable<ClusterEvent>,
  onHeld: (held: boolean) => void,
): Promise<void> {
  try {
    for await (const event of events) {
      const before = waiting.held;
      waiting.add(event);
      if (waiting.held !== before) onHeld(waiting.held);
    }
  } finally {
    waiting.end();
  }
}
