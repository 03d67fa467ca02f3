import type { Clock } from '../base/index.js';
import { trimHistory } from '../datastore/index.js';
import type { Store } from '../datastore/index.js';
import { startJob } from './lifecycle.js';
import type { Job } from './lifecycle.js';

/** How long after it became due: what made it due shall be done by then. */
const PAUSE_MS = 1_000;

/** Trims the history beside the work of those who write it. */
export interface HistoryTrim extends Job {
  /** It is done soon; what is due meanwhile is done with it. */
  readonly due: () => void;
}

/** Begins to trim the history of a store as often as it is due; a failure that is no store's goes to `failed`. */
export async function startHistoryTrim(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  failed: (error: unknown) => void,
): Promise<HistoryTrim> {
  let wake = Promise.withResolvers<void>();
  const due = (): void => wake.resolve();
  const job = await startJob(async (signal, ready) => {
    signal.addEventListener('abort', due);
    ready();
    for (;;) {
      await wake.promise;
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      wake = Promise.withResolvers();
      await trimHistory(store, clock);
    }
  }, failed);
  return { ...job, due };
}
