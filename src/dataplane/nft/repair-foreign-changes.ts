import { messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import type { NftApplier } from './apply.js';

/** Whoever changes our table does it in several steps: one repair for them. */
const settleMs = 100;

export interface ForeignChangeOptions {
  readonly applier: NftApplier;
  /** compares the table with what it should be and repairs what differs */
  readonly resync: () => Promise<void>;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Repairs our table soon after somebody else has changed it, where the applier notices; until it is closed. */
export function repairForeignChanges({ applier, resync, log, clock }: ForeignChangeOptions): {
  close(): void;
} {
  const ending = new AbortController();
  let isWaiting = false;

  const repair = async (): Promise<void> => {
    isWaiting = true;
    try {
      await clock.sleep(settleMs, ending.signal);
      // What comes from now on may be too late for the read-back, so it gets a repair of its own.
      isWaiting = false;
      await resync();
      log.info('nftables: somebody else changed our table; it was compared and repaired');
    } catch (error) {
      isWaiting = false;
      if (!ending.signal.aborted) log.error('nftables: repair failed', { error: messageOf(error) });
    }
  };

  const watch = applier.watch?.(() => {
    if (!isWaiting) void repair();
  });
  return {
    close() {
      ending.abort();
      watch?.close();
    },
  };
}
