import { CalicoError, messageOf } from '../base/index.js';
import type { Logger } from '../base/index.js';

/** One part of the agent: it starts after those before it in the list and stops before them. */
export interface Part {
  readonly name: string;
  /** Resolves when the parts after it may rely on it; `signal` is aborted when the agent stops. */
  start(signal: AbortSignal): Promise<void>;
  /** Gives back what start took. Called once, also after a failed start of a later part. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const SLOW_MS = 1_000;

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
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

/** Started parts; `stop` ends them in reverse order and reports every failure, not only the first. */
export interface Running {
  stop(): Promise<void>;
}

/** Starts the parts in order. When one fails, those before it are stopped and the failure is thrown. */
export async function startParts(
  parts: readonly Part[],
  log: Logger,
  monotonic: () => number,
): Promise<Running> {
  const controller = new AbortController();
  const started: Part[] = [];
  const stop = async (): Promise<void> => {
    controller.abort();
    for (const part of started.splice(0).reverse()) {
      try {
        await within(STOP_LIMIT_MS, `stop of ${part.name}`, part.stop());
      } catch (error) {
        log.error('a part did not stop cleanly', { part: part.name, error: messageOf(error) });
      }
    }
  };
  for (const part of parts) {
    const begin = monotonic();
    try {
      started.push(part);
      await within(START_LIMIT_MS, `start of ${part.name}`, part.start(controller.signal));
    } catch (error) {
      log.error('a part did not start', { part: part.name, error: messageOf(error) });
      await stop();
      throw error;
    }
    const ms = Math.round(monotonic() - begin);
    (ms > SLOW_MS ? log.warn : log.debug)('part started', { part: part.name, ms });
  }
  return { stop };
}
