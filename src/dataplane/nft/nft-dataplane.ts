import type { Clock, Logger } from '../../base/index.js';
import type { DataplaneUpdate, HostInterfaces } from '../../policy/index.js';
import { createReconciler } from '../reconcile.js';
import type { Reconcilable } from '../reconcile.js';
import type { NftApplier } from './apply.js';
import { createCompiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import type { NftConfig } from './config.js';
import { transactionFrom, transactionOf } from './diff.js';
import { repairForeignChanges } from './repair-foreign-changes.js';

/** Keeps the kernel's table as the calculation graph says. */
export interface NftDataplane {
  /**
   * Call once, before anything else. With no table of ours, loads one that closes every workload interface;
   * a table that an earlier run left is not touched before the first `apply`.
   */
  start(): Promise<void>;
  /**
   * Resolves when the kernel has the updates. The first call brings the whole state; from then on what somebody
   * else changes in the table is repaired, where the applier notices it.
   */
  apply(updates: readonly DataplaneUpdate[]): Promise<void>;
  /**
   * Takes what differs from defaultNftConfig; resolves when the kernel has it. Before the first `apply` it is
   * only noted, and comes with that.
   */
  configure(config: Partial<NftConfig>): Promise<void>;
  /**
   * Takes which addresses the host's interfaces own, by which host endpoints may be found; resolves when the
   * kernel has what follows from it. Before the first `apply` it is only noted, and comes with that.
   */
  setHostInterfaces(interfaces: HostInterfaces): Promise<void>;
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

/** Comes in order with the other updates, so that each transaction is made from one state. */
interface Reconfiguration {
  readonly kind: 'configured';
  readonly config: NftConfig;
}

interface HostInterfacesChange {
  readonly kind: 'host-interfaces';
  readonly interfaces: HostInterfaces;
}

type Update = DataplaneUpdate | Reconfiguration | HostInterfacesChange;

function isPolicy(update: Update): update is DataplaneUpdate {
  return update.kind !== 'configured' && update.kind !== 'host-interfaces';
}

export function createNftDataplane({ applier, config, log, clock }: NftDataplaneOptions): NftDataplane {
  const compiler = createCompiler({ ...defaultNftConfig, ...config }, log);
  let hasState = false;
  const part: Reconcilable<Update> = {
    accept: updates => {
      const configured = updates.findLast(update => update.kind === 'configured');
      if (configured !== undefined) compiler.configure(configured.config);
      const found = updates.findLast(update => update.kind === 'host-interfaces');
      if (found !== undefined) compiler.setHostInterfaces(found.interfaces);
      compiler.accept(updates.filter(isPolicy));
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
  const resync = async (): Promise<void> => {
    await reconciler.resync();
  };
  // From the first state on: a repair before it would close everything.
  let foreignChanges: { close(): void } | undefined;

  return {
    async start() {
      if ((await applier.readBack()) === undefined) await reconciler.resync();
    },
    apply: async updates => {
      hasState = true;
      await reconciler.apply(updates);
      foreignChanges ??= repairForeignChanges({ applier, resync, log, clock });
    },
    configure: async changed => {
      const next = { ...defaultNftConfig, ...changed };
      if (hasState) await reconciler.apply([{ kind: 'configured', config: next }]);
      else compiler.configure(next);
    },
    setHostInterfaces: async interfaces => {
      if (hasState) await reconciler.apply([{ kind: 'host-interfaces', interfaces }]);
      else compiler.setHostInterfaces(interfaces);
    },
    resync,
    async stop() {
      foreignChanges?.close();
      await reconciler.stop();
    },
    async cleanup() {
      foreignChanges?.close();
      await reconciler.stop();
      if ((await applier.readBack()) !== undefined) await applier.apply([{ op: 'delete-table' }]);
    },
  };
}
