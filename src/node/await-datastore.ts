import { isCalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';

export interface PatienceParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** told why it does not go on, for the status */
  readonly onWait: (reason: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Tries `step` until the datastore answers: a host that boots without it has its workloads closed and waits.
 * What no waiting mends is thrown at once.
 */
export async function awaitDatastore<T>(step: () => Promise<T>, parts: PatienceParts): Promise<T> {
  const { clock, log, signal, onWait } = parts;
  let told: string | undefined;
  for (let tries = 0; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (!isCalicoError(error, 'unavailable', 'exhausted', 'conflict') || signal.aborted) throw error;
      const reason = messageOf(error);
      onWait(`waiting for the datastore: ${reason}`);
      if (reason !== told) log.warn('the datastore does not answer; trying again', { error: reason });
      told = reason;
      await clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)), signal);
    }
  }
}
