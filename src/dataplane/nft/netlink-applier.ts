import { CalicoError } from '../../base/index.js';
import { kernelError, openNftables } from '../../netlink/index.js';
import type { NftApplier } from './apply.js';
import type { Transaction } from './diff.js';
import { tableName } from './names.js';
import { createSetNumbers } from './netlink/anonymous-set.js';
import { operationRequests } from './netlink/operation-requests.js';
import { tableSnapshot } from './netlink/table-snapshot.js';

export interface NetlinkNftApplierOptions {
  /** path of the network namespace; without it that of the process */
  readonly netns?: string;
}

/** The applier that speaks to the kernel itself over one long-lived socket: microseconds a transaction. */
export async function createNetlinkNftApplier(
  options: NetlinkNftApplierOptions = {},
): Promise<Required<NftApplier>> {
  const nftables = await openNftables(options.netns);
  const send = async (transaction: Transaction, how: 'commit' | 'check'): Promise<void> => {
    if (transaction.length === 0) return;
    const context = {
      numbers: createSetNumbers(),
      rulesOf: (chain: string) => nftables.rules(tableName, chain),
    };
    const requests = transaction.flatMap(operation => operationRequests(operation, context));
    const failure = nftables[how](requests.map(({ request }) => request));
    if (failure === undefined) return;
    const { place, answer } = failure;
    const what =
      (place === undefined ? undefined : requests[place]?.describe(answer.offset)) ?? 'commit of the batch';
    const { message } = kernelError(what, answer);
    await Promise.reject(
      new CalicoError('unavailable', `nftables: table inet ${tableName} not changed: ${message}`),
    );
  };
  return {
    apply: async transaction => {
      await send(transaction, 'commit');
    },
    check: async transaction => {
      await send(transaction, 'check');
    },
    readBack: async () => await Promise.resolve(tableSnapshot(nftables)),
    counters: async () =>
      await Promise.resolve(
        new Map(nftables.counters(tableName).map(({ name, ...count }) => [name, count] as const)),
      ),
    watch: onForeignChange => nftables.watchTable(tableName, onForeignChange),
    close: () => {
      nftables.close();
    },
  };
}
