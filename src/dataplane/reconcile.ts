import { CalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';

/** A piece of the kernel that follows a desired state. It is called one call at a time. */
export interface Reconcilable<Update> {
  /** Takes updates into the desired state; no I/O. Throws only for a bug. */
  accept(updates: readonly Update[]): void;
  /**
   * Brings the kernel to the desired state: from what was last applied, or, `full`, from a read-back of what
   * is really there. The first call is `full`, and so is one after a failure.
   */
  sync(mode: 'changes' | 'full'): Promise<void>;
}

export interface Reconciler<Update> {
  /**
   * Resolves when the kernel has the updates. What arrives while an earlier batch is applied becomes one
   * batch; a failed one is tried again until it succeeds or the reconciler is stopped.
   */
  apply(updates: readonly Update[]): Promise<void>;
  /** Compares with the kernel and repairs; also brings what waits. */
  resync(): Promise<void>;
  /** Ends retries and rejects what waits with `unavailable`; the kernel stays as it is. */
  stop(): Promise<void>;
}

export interface ReconcilerOptions<Update> {
  /** for messages: `nftables` */
  readonly name: string;
  readonly part: Reconcilable<Update>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const quickTries = 10;
const longestQuickDelayMs = 200;
const slowDelayMs = 5_000;

/** Milliseconds before try `failures` + 1: quickly growing, then slow for good (spec policy-enforcement 12.3). */
export function retryDelayMs(failures: number, random: number): number {
  if (failures > quickTries) return slowDelayMs;
  return Math.min(longestQuickDelayMs, 10 * (1.5 + random) ** failures);
}

/** The one engine of desired and actual state: batches, retries with growing pauses, and resyncs. */
export function createReconciler<Update>(options: ReconcilerOptions<Update>): Reconciler<Update> {
  const { name, part, clock, log } = options;
  const ending = new AbortController();
  let updates: Update[] = [];
  let waiters: Waiter[] = [];
  // At first nobody knows what an earlier run has left.
  let mode: 'changes' | 'full' = 'full';
  let isRunning = false;
  let running: Promise<void> = Promise.resolve();

  const syncOnce = async (): Promise<void> => {
    const how = mode;
    mode = 'changes';
    try {
      await part.sync(how);
    } catch (error) {
      // Nobody knows now what the kernel has.
      mode = 'full';
      throw error;
    }
  };

  const backOff = async (error: unknown, failures: number): Promise<void> => {
    const delayMs = retryDelayMs(failures, clock.random());
    log.warn(`${name}: not applied, the kernel keeps what it had`, {
      error: messageOf(error),
      failures,
      retryInMs: Math.round(delayMs),
    });
    try {
      await clock.sleep(delayMs, ending.signal);
    } catch {
      // The reconciler is stopped, which the loop sees.
    }
  };

  /** Updates that cannot be taken are a bug of ours: trying again would not help, so their sender hears of it. */
  const accepts = (batch: readonly Update[], served: readonly Waiter[]): boolean => {
    try {
      part.accept(batch);
      return true;
    } catch (error) {
      for (const waiter of served) waiter.reject(error);
      return false;
    }
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (waiters.length > 0 && !ending.signal.aborted) {
      const [batch, served] = [updates, waiters];
      [updates, waiters] = [[], []];
      if (!accepts(batch, served)) continue;
      try {
        await syncOnce();
        failures = 0;
        for (const waiter of served) waiter.resolve();
      } catch (error) {
        waiters = [...served, ...waiters];
        failures += 1;
        await backOff(error, failures);
      }
    }
    // In the same turn as the last look at `waiters`, so that nobody waits for a loop that has ended.
    isRunning = false;
  };

  const wait = async (): Promise<void> => {
    if (ending.signal.aborted) throw new CalicoError('unavailable', `${name}: stopped`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiters.push({ resolve, reject });
    if (!isRunning) {
      isRunning = true;
      running = run();
    }
    await promise;
  };

  return {
    async apply(more) {
      updates.push(...more);
      await wait();
    },
    async resync() {
      mode = 'full';
      await wait();
    },
    async stop() {
      ending.abort();
      await running;
      for (const waiter of waiters.splice(0))
        waiter.reject(new CalicoError('unavailable', `${name}: stopped`));
    },
  };
}
