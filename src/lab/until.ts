import { readFileSync } from 'node:fs';
import { CalicoError, messageOf } from '../base/index.js';
import type { LabContext } from './context.js';

/** Something that will be so, or else is told about. */
export interface Expectation {
  readonly what: string;
  readonly limitMs: number;
  /** true when it is so; a failure is one more reason to try again */
  readonly attempt: () => Promise<boolean>;
  /** what to say of it when the time is over */
  readonly trouble: () => string;
}

const PAUSE_MS = 20;

/** Tries until it is so; `unavailable` at the limit, `conflict` when the user interrupts. */
export async function until({ clock, signal }: LabContext, expectation: Expectation): Promise<void> {
  const { what, limitMs, attempt, trouble } = expectation;
  const deadline = clock.monotonic() + limitMs;
  let last = 'no answer';
  while (clock.monotonic() < deadline) {
    throwIfInterrupted(signal);
    try {
      if (await attempt()) return;
    } catch (error) {
      last = messageOf(error);
    }
    await clock.sleep(PAUSE_MS);
  }
  throw new CalicoError('unavailable', `${what}: not ready: ${last}\n${trouble()}`.trimEnd());
}

/** Ends what is under way when the user has interrupted it. */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CalicoError('conflict', 'interrupted');
}

/** The last lines of a log, for a message; empty when there is none. */
export function logTail(path: string): string {
  try {
    return `end of ${path}:\n${readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n')}`;
  } catch {
    return '';
  }
}

/** Does the work for all items, at most so many at once. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
