import { CalicoError, runProgram } from '../../base/index.js';
import type { ProgramResult } from '../../base/index.js';
import type { Transaction } from './diff.js';
import type { Count, RulesetSnapshot } from './model.js';
import { tableName } from './names.js';
import { parseCounters, parseListing } from './read-back.js';
import { renderTransaction } from './render.js';

/** Writes transactions to the kernel and reads our table back. */
export interface NftApplier {
  /** All of the transaction is in effect afterwards, or none of it and it throws `unavailable`. */
  apply(transaction: Transaction): Promise<void>;
  /** Changes nothing; throws `unavailable` when the kernel would refuse the transaction as it is now. */
  check(transaction: Transaction): Promise<void>;
  /** Our table as it is; undefined when there is none. */
  readBack(): Promise<RulesetSnapshot | undefined>;
  /** What the counters of our table have counted, by name; empty when there is no table. */
  counters(): Promise<ReadonlyMap<string, Count>>;
  /** Calls back soon after somebody else changed our table, or may have; absent where that is not noticed. */
  readonly watch?: (onForeignChange: () => void) => { close(): void };
  /** Gives back what the applier holds. */
  readonly close?: () => void;
}

/** Runs the nft program of the network namespace that is meant. */
export type RunNft = (args: readonly string[], input?: string) => Promise<ProgramResult>;

const longestRunMs = 120_000;

async function runNft(args: readonly string[], input?: string): Promise<ProgramResult> {
  return await runProgram('nft', args, {
    timeoutMs: longestRunMs,
    ...(input === undefined ? {} : { input }),
  });
}

/** nft prints one complaint for each failing command; the first is the cause. */
function firstComplaint(result: ProgramResult): string {
  const lines = `${result.stderr}\n${result.stdout}`.split('\n').filter(line => line.trim() !== '');
  const first = lines.findIndex(line => line.includes('rror:'));
  return (first < 0 ? lines.slice(0, 2) : lines.slice(first, first + 2)).join(' | ');
}

/** The applier that spawns `nft`: slow (milliseconds a transaction) but with no need of anything else. */
export function createNftApplier(run: RunNft = runNft): NftApplier {
  const write = async (transaction: Transaction, ...options: readonly string[]): Promise<void> => {
    if (transaction.length === 0) return;
    const args = [...options, '-f', '-'];
    const result = await run(args, renderTransaction(transaction));
    if (result.exitCode === 0) return;
    throw new CalicoError(
      'unavailable',
      `nft ${args.join(' ')}: table inet ${tableName} not changed: ${firstComplaint(result)}`,
    );
  };
  const list = async (...what: readonly string[]): Promise<string | undefined> => {
    const result = await run(['-j', '-n', 'list', ...what, 'inet', tableName]);
    if (result.exitCode === 0) return result.stdout;
    if (result.stderr.includes('No such file or directory')) return undefined;
    throw new CalicoError(
      'unavailable',
      `nft list ${what.join(' ')} inet ${tableName}: ${firstComplaint(result)}`,
    );
  };
  return {
    apply: async transaction => {
      await write(transaction);
    },
    check: async transaction => {
      await write(transaction, '-c');
    },
    readBack: async () => {
      const listing = await list('table');
      return listing === undefined ? undefined : parseListing(listing);
    },
    counters: async () => {
      const listing = await list('counters', 'table');
      return listing === undefined ? new Map() : parseCounters(listing);
    },
  };
}
