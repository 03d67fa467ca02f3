import type { Clock, Logger } from '../../base/index.js';
import type { DataplaneUpdate } from '../../policy/index.js';
import { createReconciler } from '../reconcile.js';
import type { Reconcilable } from '../reconcile.js';
import type { NftApplier } from './apply.js';
import { createCompiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import type { NftConfig } from './config.js';
import { transactionFrom, transactionOf } from './diff.js';

/** Keeps the kernel's table as the calculation graph says. */
export interface NftDataplane {
  /**
   * Call once, before anything else. With no table of ours, loads one that closes every workload interface;
   * a table that an earlier run left is not touched before the first `apply`.
   */
  start(): Promise<void>;
  /** Resolves when the kernel has the updates. The first call brings the whole state. */
  apply(updates: readonly DataplaneUpdate[]): Promise<void>;
  /** Compares the table with what it should be and repairs what differs. */
  resync(): Promise<void>;
  /** Ends retries. The table stays, and keeps enforcing. */
  stop(): Promise<void>;
  /** Removes our table; for uninstalling. */
  cleanup(): Promise<void>;
}

export interface NftDataplaneOptions {
  readonly applier: NftApplier;
  /** what differs from defaultNftConfig */
  readonly config: Partial<NftConfig>;
  readonly log: Logger;
  readonly clock: Clock;
}

export function createNftDataplane({ applier, config, log, clock }: NftDataplaneOptions): NftDataplane {
  const compiler = createCompiler({ ...defaultNftConfig, ...config }, log);
  const part: Reconcilable<DataplaneUpdate> = {
    accept: updates => {
      compiler.accept(updates);
    },
    async sync(mode) {
      const patch = compiler.takePatch();
      const transaction =
        mode === 'changes'
          ? transactionOf(patch, compiler.ruleset())
          : transactionFrom(await applier.readBack(), compiler.ruleset());
      await applier.apply(transaction);
    },
  };
  const reconciler = createReconciler({ name: 'nftables', part, clock, log });

  return {
    async start() {
      if ((await applier.readBack()) === undefined) await reconciler.resync();
    },
    apply: async updates => {
      await reconciler.apply(updates);
    },
    resync: async () => {
      await reconciler.resync();
    },
    stop: async () => {
      await reconciler.stop();
    },
    async cleanup() {
      await reconciler.stop();
      if ((await applier.readBack()) !== undefined) await applier.apply([{ op: 'delete-table' }]);
    },
  };
}
