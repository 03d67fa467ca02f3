import { messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import type { DataplaneUpdate, HostInterfaces } from '../../policy/index.js';
import { createReconciler } from '../reconcile.js';
import type { Reconcilable } from '../reconcile.js';
import type { NftApplier } from './apply.js';
import { createCompiler } from './compile.js';
import type { Compiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import type { NftConfig } from './config.js';
import { transactionFrom, transactionOf } from './diff.js';
import { Isolation } from './isolate.js';
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
  /** Objects that the kernel refuses, each with what stands in for it; empty when all is in force. */
  readonly problems: readonly string[];
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

/** Fewer may have come from a kernel that was busy, and trying again does no harm. */
const refusalsBeforeIsolation = 3;

interface FollowerParts {
  readonly compiler: Compiler;
  readonly applier: NftApplier;
  readonly log: Logger;
}

/**
 * Brings the table along with the updates. When the kernel refuses a transaction, and would still take the state
 * before it, the object that is to blame is looked for, so that one bad object does not keep out the rest.
 */
class Follower implements Reconcilable<Update> {
  readonly #parts: FollowerParts;
  readonly #isolation = new Isolation();
  /** taken, but not yet in the kernel */
  #waiting: DataplaneUpdate[] = [];
  /** in a row, of what waits */
  #refusals = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  get problems(): readonly string[] {
    return this.#isolation.problems;
  }

  accept(updates: readonly Update[]): void {
    const { compiler } = this.#parts;
    const configured = updates.findLast(update => update.kind === 'configured');
    if (configured !== undefined) compiler.configure(configured.config);
    const found = updates.findLast(update => update.kind === 'host-interfaces');
    if (found !== undefined) compiler.setHostInterfaces(found.interfaces);
    this.#waiting.push(...this.#isolation.admit(updates.filter(isPolicy)));
  }

  async sync(mode: 'changes' | 'full'): Promise<void> {
    const work = this.#waiting;
    const reason = await this.#try(work, mode);
    if (reason !== undefined) {
      this.#refusals += 1;
      if (this.#refusals < refusalsBeforeIsolation) throw reason;
      await this.#isolate(work, reason);
    }
    this.#refusals = 0;
    this.#waiting = [];
  }

  /** With the updates on top; undefined when they are in force, otherwise why not, and then nothing is changed. */
  async #try(updates: readonly DataplaneUpdate[], mode: 'changes' | 'full'): Promise<unknown> {
    const { compiler, applier } = this.#parts;
    const undo = compiler.undoOf(updates);
    try {
      // Nothing is not the first state: that it is not known yet keeps established flows alive.
      if (updates.length > 0) compiler.accept(updates);
      const patch = compiler.takePatch();
      const transaction =
        mode === 'changes'
          ? transactionOf(patch, compiler.ruleset())
          : transactionFrom(await applier.readBack(), compiler.ruleset());
      await applier.apply(transaction);
      return undefined;
    } catch (error) {
      if (undo.length > 0) compiler.accept(undo);
      return error;
    }
  }

  async #isolate(updates: readonly DataplaneUpdate[], reason: unknown): Promise<void> {
    // When not even the state before is taken, it is not about what is new.
    if (updates.length === 0 || (await this.#try([], 'full')) !== undefined) throw reason;
    await this.#isolation.apply(updates, async some => (await this.#try(some, 'full')) === undefined);
    this.#parts.log.error('the kernel refused a transaction; what it takes of it is in force', {
      reason: messageOf(reason),
      problems: this.problems,
    });
  }
}

export function createNftDataplane({ applier, config, log, clock }: NftDataplaneOptions): NftDataplane {
  const compiler = createCompiler({ ...defaultNftConfig, ...config }, log);
  let hasState = false;
  const part = new Follower({ compiler, applier, log });
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
    get problems() {
      return part.problems;
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
