/** Runs jobs in turn for each key, and side by side for different ones. */
export interface SerialByKey {
  /**
   * Runs `job` after the jobs of that key before it; a failed one does not stop the next. What it hands to
   * `later` runs when the result is there already, or the failure, and before the next job of the key.
   */
  run<T>(key: string, job: (later: (work: () => Promise<void>) => void) => Promise<T>): Promise<T>;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

/** `failed` is told of work that went wrong later. */
export function serialByKey(failed: (error: unknown) => void): SerialByKey {
  const last = new Map<string, Promise<void>>();
  return {
    run: async (key, job) => {
      const works: (() => Promise<void>)[] = [];
      const result = (last.get(key) ?? Promise.resolve()).then(async () =>
        job(work => {
          works.push(work);
        }),
      );
      const whole = result
        // The caller is told of a failure.
        .catch(() => undefined)
        .then(async () => {
          for (const work of works) await work();
        })
        .catch(failed)
        .finally(() => {
          if (last.get(key) === whole) last.delete(key);
        });
      last.set(key, whole);
      return await result;
    },
    idle: async () => {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
}
