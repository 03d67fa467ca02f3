import { messageOf } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Condition, Store, Write } from '../datastore/index.js';
import { parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { Allocator } from './allocator.js';
import { heldAddresses, ownerOf } from './block.js';
import type { Block } from './block.js';
import type { IpamReport } from './check.js';
import { formatAffinity, formatHandle, parseHandle } from './codec.js';
import { affinityKey, blockKey, handleKey } from './keys.js';
import type { IpamProblem } from './problems.js';
import { readBlock } from './release.js';
import { untilCommitted } from './retry.js';
import type { Seen } from './view.js';

export interface RepairParts {
  readonly store: Store;
  readonly allocator: Allocator;
  readonly clock: Clock;
}

export interface RepairOutcome {
  readonly repaired: readonly IpamProblem[];
  /** what a repair cannot mend, or did not find any more as reported, and why */
  readonly left: readonly { readonly problem: IpamProblem; readonly reason: string }[];
}

/**
 * Mends what a report found, one commit for each problem. What has changed since then is left alone: an
 * address is released only while the holder of the report has it.
 */
export async function repairIpam(
  parts: RepairParts,
  report: Pick<IpamReport, 'problems'>,
): Promise<RepairOutcome> {
  const repaired: IpamProblem[] = [];
  const left: { readonly problem: IpamProblem; readonly reason: string }[] = [];
  for (const problem of report.problems) {
    try {
      const reason = await repair(parts, problem);
      if (reason === undefined) repaired.push(problem);
      else left.push({ problem, reason });
    } catch (error) {
      // One record that cannot be mended must not keep the others from it.
      left.push({ problem, reason: messageOf(error) });
    }
  }
  return { repaired, left };
}

/** Undefined when it is mended, else why not. */
async function repair(parts: RepairParts, problem: IpamProblem): Promise<string | undefined> {
  const { allocator } = parts;
  switch (problem.kind) {
    case 'leaked': {
      const { address, handle, sequence } = problem;
      await allocator.releaseAddress(address, { handle, sequence });
      return undefined;
    }
    case 'not-allocated': {
      const { address, node, handle } = problem;
      await allocator.assignAddress({ address, node, handle, attributes: { node } });
      return undefined;
    }
    case 'handle-without-addresses':
    case 'addresses-without-handle':
      return await recount(parts, problem.handle, problem.block);
    case 'claim-without-block':
    case 'block-without-claim':
      return await alignClaim(parts, problem.node, problem.block);
    case 'block-of-removed-host':
      await allocator.releaseAffinities(problem.node);
      return undefined;
    case 'several-owners':
      return 'delete all but one of the endpoints';
    case 'outside-pools':
      return 'delete what uses it, or make a pool for it';
    case 'overlapping-blocks':
      return 'delete what uses the addresses of one of them';
    case 'unreadable':
      return 'restore the record, or delete it by hand';
  }
}

/** Sets the count of a handle in a block to what it holds there. */
async function recount(
  { store, clock }: RepairParts,
  handle: string,
  block: string,
): Promise<string | undefined> {
  const cidr = parseCidr(block);
  const key = handleKey(handle);
  await untilCommitted(clock, `recount ${handle}`, async () => {
    const [entry, seen] = [await store.get(key), cidr && (await readBlock(store, cidr))];
    const held = seen === undefined ? 0 : countOf(seen.value, handle);
    const counts = entry === undefined ? {} : parseHandle(entry.value);
    const others = Object.fromEntries(Object.entries(counts).filter(([name]) => name !== block));
    const after = held === 0 ? others : { ...others, [block]: held };
    const write: Write =
      Object.keys(after).length === 0
        ? { kind: 'delete', key }
        : { kind: 'put', key, value: formatHandle(after) };
    const conditions = [
      { key, modRevision: entry?.modRevision ?? 0 },
      ...(cidr === undefined ? [] : [asSeen(cidr, seen)]),
    ];
    return (await store.commit({ conditions, writes: [write] })).committed || undefined;
  });
  return undefined;
}

function countOf(block: Block, handle: string): number {
  return heldAddresses(block).filter(({ holder }) => holder.handle === handle).length;
}

/** A claim is there, and completed, exactly if the node owns the block. */
async function alignClaim(
  { store, clock }: RepairParts,
  node: string,
  block: string,
): Promise<string | undefined> {
  const cidr = parseCidr(block);
  if (cidr === undefined) return `${block} is no block`;
  const key = affinityKey(node, cidr);
  await untilCommitted(clock, `repair the claim of ${node} on ${block}`, async () => {
    const [entry, seen] = [await store.get(key), await readBlock(store, cidr)];
    const isOwner = seen !== undefined && ownerOf(seen.value) === node;
    const write: Write = isOwner
      ? { kind: 'put', key, value: formatAffinity('confirmed') }
      : { kind: 'delete', key };
    const conditions = [{ key, modRevision: entry?.modRevision ?? 0 }, asSeen(cidr, seen)];
    return (await store.commit({ conditions, writes: [write] })).committed || undefined;
  });
  return undefined;
}

function asSeen(cidr: Cidr, seen: Seen<Block> | undefined): Condition {
  return { key: blockKey(cidr), modRevision: seen?.modRevision ?? 0 };
}
