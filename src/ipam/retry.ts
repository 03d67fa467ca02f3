import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';

const maxTries = 100;

/**
 * Repeats a compare-and-swap until it is through: `attempt` returns undefined for a lost race. The pause
 * grows to some 50 ms and is random, so that hosts that collided do not collide again.
 */
export async function untilCommitted<T>(
  clock: Clock,
  what: string,
  attempt: (tries: number) => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < maxTries; tries++) {
    const result = await attempt(tries);
    if (result !== undefined) return result;
    await clock.sleep(1 + clock.random() * Math.min(50, 2 ** tries));
  }
  throw new CalicoError('conflict', `${what}: Max retries hit - excessive concurrent IPAM requests`);
}
