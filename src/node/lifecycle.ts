import { CalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const SLOW_MS = 1_000;

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  if (ms === Infinity) return await work;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new CalicoError('unavailable', `${what} took longer than ${String(ms / 1000)} s`));
    }, ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** One part of a program: it starts after those before it and stops before them. */
export interface PartDefinition<T> {
  readonly name: string;
  /** how long the start may take; default 60 s, Infinity for one that waits for something outside */
  readonly limitMs?: number;
  /** resolves with what the parts after it may use */
  start(): Promise<T>;
  /** gives back what `start` took */
  stop(part: T): void | Promise<void>;
}

/** The started parts of a program, in order; whoever holds it stops them. */
export class Parts {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #started: { readonly name: string; readonly stop: () => void | Promise<void> }[] = [];

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Starts one more part. When it fails, those before it are stopped and the failure is thrown. */
  async start<T>(definition: PartDefinition<T>): Promise<T> {
    const { name, limitMs = START_LIMIT_MS } = definition;
    const begin = this.#clock.monotonic();
    try {
      const part = await within(limitMs, `start of ${name}`, definition.start());
      this.#started.push({ name, stop: () => definition.stop(part) });
      const ms = Math.round(this.#clock.monotonic() - begin);
      if (ms > SLOW_MS) this.#log.warn('a part started slowly', { part: name, ms });
      else this.#log.debug('part started', { part: name, ms });
      return part;
    } catch (error) {
      this.#log.error('a part did not start', { part: name, error: messageOf(error) });
      await this.stop();
      throw error;
    }
  }

  /** Stops all parts in reverse order; a failure is logged and the others are stopped all the same. */
  async stop(): Promise<void> {
    for (const { name, stop } of this.#started.splice(0).reverse()) {
      try {
        await within(STOP_LIMIT_MS, `stop of ${name}`, Promise.resolve(stop()));
      } catch (error) {
        this.#log.error('a part did not stop cleanly', { part: name, error: messageOf(error) });
      }
    }
  }
}

/** Work in the background with an owner: `stop` aborts it and waits for its end. */
export interface Job {
  stop(): Promise<void>;
}

/**
 * Runs `work` until it is stopped. The promise resolves when `work` calls `ready`, and rejects when it ends
 * before that; what ends it later goes to `failed`.
 */
export async function startJob(
  work: (signal: AbortSignal, ready: () => void) => Promise<void>,
  failed: (error: unknown) => void,
): Promise<Job> {
  const ending = new AbortController();
  const { promise: isReady, resolve: ready, reject: notReady } = Promise.withResolvers<void>();
  let started = false;
  const running = work(ending.signal, () => {
    started = true;
    ready();
  }).then(
    () => {
      if (!started) notReady(new CalicoError('unavailable', 'ended before it was ready'));
      else if (!ending.signal.aborted) failed(new CalicoError('unavailable', 'ended by itself'));
    },
    (error: unknown) => {
      if (!started) notReady(error instanceof Error ? error : new Error(messageOf(error)));
      else if (!ending.signal.aborted) failed(error);
    },
  );
  await isReady;
  return {
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}

const RESTART_PAUSE_MS = 1_000;

/** Does `work` until the signal is aborted: when it fails or ends before, it is logged and begun anew. */
export async function keepUp(
  name: string,
  work: () => Promise<void>,
  { signal, clock, log }: { readonly signal: AbortSignal; readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  while (!signal.aborted) {
    const reason = await work().then(() => 'it ended by itself', messageOf);
    if (signal.aborted) return;
    log.error(`${name} broke and is begun anew`, { error: reason, retryInMs: RESTART_PAUSE_MS });
    await clock.sleep(RESTART_PAUSE_MS, signal).catch(() => undefined);
  }
}
