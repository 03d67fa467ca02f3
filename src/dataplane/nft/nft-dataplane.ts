import { messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import type { DataplaneUpdate, HostInterfaces } from '../../policy/index.js';
import type { ObjectProblem } from '../problem.js';
import type { OnRepair } from '../repair.js';
import { createReconciler } from '../reconcile.js';
import type { Reconcilable } from '../reconcile.js';
import type { NftApplier } from './apply.js';
import { createCompiler } from './compile.js';
import type { Compiler } from './compile.js';
import { defaultNftConfig } from './config.js';
import type { NftConfig } from './config.js';
import { transactionFrom, transactionOf } from './diff.js';
import type { RulesetPatch } from './diff.js';
import { dropCounters } from './drops.js';
import type { DropReason } from './drops.js';
import { Isolation } from './isolate.js';
import type { Count, Ruleset } from './model.js';
import { repairForeignChanges } from './repair-foreign-changes.js';
import type { TunnelPeers } from './tunnel-guard.js';

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
  /**
   * Takes who may send this host packets that carry others; resolves when the kernel has it. Before the first
   * `apply` it is only noted, and comes with that.
   */
  setTunnelPeers(peers: TunnelPeers): Promise<void>;
  /** Objects that the kernel refuses, each with what stands in for it; empty when all is in force. */
  readonly problems: readonly ObjectProblem[];
  /** What was dropped since the table was made, by reason; with DropActionOverride what would have been. */
  drops(): Promise<ReadonlyMap<DropReason, Count>>;
  /** How much there is of what in the table as it shall be. */
  size(): TableSize;
  /** Compares the table with what it should be and repairs what differs. */
  resync(): Promise<void>;
  /** Ends retries. The table stays, and keeps enforcing. */
  stop(): Promise<void>;
  /** Removes our table; for uninstalling. */
  cleanup(): Promise<void>;
}

export interface TableSize {
  readonly chains: number;
  readonly rules: number;
  readonly sets: number;
  readonly maps: number;
}

function sizeOf({ chains, sets }: Ruleset): TableSize {
  const maps = [...sets.values()].filter(({ verdicts }) => verdicts).length;
  const rules = [...chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
  return { chains: chains.size, rules, sets: sets.size - maps, maps };
}

export interface NftDataplaneOptions {
  readonly applier: NftApplier;
  /** what differs from defaultNftConfig */
  readonly config: Partial<NftConfig>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly onRepair?: OnRepair;
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

interface TunnelPeersChange {
  readonly kind: 'tunnel-peers';
  readonly peers: TunnelPeers;
}

type Update = DataplaneUpdate | Reconfiguration | HostInterfacesChange | TunnelPeersChange;

const ABOUT_THE_HOST: readonly string[] = ['configured', 'host-interfaces', 'tunnel-peers'];

function isPolicy(update: Update): update is DataplaneUpdate {
  return !ABOUT_THE_HOST.includes(update.kind);
}

/** Fewer may have come from a kernel that was busy, and trying again does no harm. */
const refusalsBeforeIsolation = 3;

/** Of a table that a batch makes the kernel checks less than of one that is there: such a batch is applied. */
function checkedBy(applier: NftApplier): (patch: RulesetPatch, wanted: Ruleset) => Promise<void> {
  return async (_, wanted) => {
    const transaction = transactionFrom(await applier.readBack(), wanted);
    const makesTable = transaction.some(({ op }) => op === 'add-table');
    await applier[makesTable ? 'apply' : 'check'](transaction);
  };
}

interface FollowerParts {
  readonly compiler: Compiler;
  readonly applier: NftApplier;
  readonly log: Logger;
  readonly onRepair: OnRepair;
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
  /** the kernel had what it should when this was last looked at */
  #isWhole = false;
  /** why the kernel did not take the last transaction */
  #trouble: string | undefined;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  get problems(): readonly ObjectProblem[] {
    const table = { object: 'table inet calico', problem: this.#trouble ?? '' };
    return [...(this.#trouble === undefined ? [] : [table]), ...this.#isolation.problems];
  }

  accept(updates: readonly Update[]): void {
    const { compiler } = this.#parts;
    const configured = updates.findLast(update => update.kind === 'configured');
    if (configured !== undefined) compiler.configure(configured.config);
    const found = updates.findLast(update => update.kind === 'host-interfaces');
    if (found !== undefined) compiler.setHostInterfaces(found.interfaces);
    const tunnels = updates.findLast(update => update.kind === 'tunnel-peers');
    if (tunnels !== undefined) compiler.setTunnelPeers(tunnels.peers);
    this.#waiting.push(...this.#isolation.admit(updates.filter(isPolicy)));
  }

  async sync(mode: 'changes' | 'full'): Promise<void> {
    const work = this.#waiting;
    const reason = await this.#try(work, async (patch, wanted) => await this.#apply(mode, patch, wanted));
    this.#isWhole = reason === undefined;
    if (reason !== undefined) {
      this.#refusals += 1;
      this.#trouble = messageOf(reason);
      if (this.#refusals < refusalsBeforeIsolation) throw reason;
      await this.#isolate(work, reason);
    }
    this.#settled();
    this.#trouble = undefined;
  }

  /** What waited is part of the wanted state now. */
  #settled(): void {
    this.#refusals = 0;
    this.#waiting = [];
  }

  /**
   * Takes the updates on top and does with the table as it then shall be what `send` does; undefined when that
   * went well, otherwise why not, and then nothing is changed.
   */
  async #try(
    updates: readonly DataplaneUpdate[],
    send: (patch: RulesetPatch, wanted: Ruleset) => Promise<void>,
  ): Promise<unknown> {
    const { compiler } = this.#parts;
    const undo = compiler.undoOf(updates);
    try {
      // Nothing is not the first state: that it is not known yet keeps established flows alive.
      if (updates.length > 0) compiler.accept(updates);
      await send(compiler.takePatch(), compiler.ruleset());
      return undefined;
    } catch (error) {
      if (undo.length > 0) compiler.accept(undo);
      return error;
    }
  }

  async #apply(mode: 'changes' | 'full', patch: RulesetPatch, wanted: Ruleset): Promise<void> {
    const { applier, onRepair } = this.#parts;
    if (mode === 'changes') {
      await applier.apply(transactionOf(patch, wanted));
      return;
    }
    const isOurs = !this.#isWhole || patch.sets.size + patch.chains.size + patch.elements.size > 0;
    const transaction = transactionFrom(await applier.readBack(), wanted);
    await applier.apply(transaction);
    if (!isOurs && transaction.length > 0) onRepair('table');
  }

  /**
   * Finds what the kernel takes by asking only: until all of it is known the kernel keeps what it has, because
   * any part of a first state alone would close endpoints that an earlier run left open.
   */
  async #isolate(updates: readonly DataplaneUpdate[], reason: unknown): Promise<void> {
    const { applier, compiler } = this.#parts;
    // When not even the state before is taken, it is not about what is new.
    if (updates.length === 0 || (await this.#try([], checkedBy(applier))) !== undefined) throw reason;
    const before = await applier.readBack();
    const isTaken = async (some: readonly DataplaneUpdate[]): Promise<boolean> =>
      (await this.#try(some, async (_, wanted) => {
        await applier.check(transactionFrom(before, wanted));
      })) === undefined;
    await this.#isolation.apply(updates, isTaken);
    this.#settled();
    await applier.apply(transactionFrom(before, compiler.ruleset()));
    this.#parts.log.error('the kernel refused a transaction; what it takes of it is in force', {
      reason: messageOf(reason),
      problems: this.problems,
    });
  }
}

export function createNftDataplane({
  applier,
  config,
  log,
  clock,
  onRepair = () => undefined,
}: NftDataplaneOptions): NftDataplane {
  const compiler = createCompiler({ ...defaultNftConfig, ...config }, log);
  let hasState = false;
  const part = new Follower({ compiler, applier, log, onRepair });
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
    setTunnelPeers: async peers => {
      if (hasState) await reconciler.apply([{ kind: 'tunnel-peers', peers }]);
      else compiler.setTunnelPeers(peers);
    },
    get problems() {
      return part.problems;
    },
    drops: async () => {
      const counters = await applier.counters();
      return new Map(
        [...dropCounters].map(([name, reason]) => [reason, counters.get(name) ?? { packets: 0, bytes: 0 }]),
      );
    },
    size: () => sizeOf(compiler.ruleset()),
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
