/** Time and chance, the only place that touches them, so that everything else can be tested without. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds with fractions, for durations; the same clock in all processes of the host. */
  monotonic(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Resolves after `ms`; rejects when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    // Most short commands never sleep: they do not load it.
    const { setTimeout: delay } = process.getBuiltinModule('node:timers/promises');
    await delay(ms, undefined, signal === undefined ? undefined : { signal });
  },
};
