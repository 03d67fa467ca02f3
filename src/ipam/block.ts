import { addressAt, contains, formatIp, sizeOf, widthOf } from '../net/index.js';
import type { Cidr, Ip, IpVersion } from '../net/index.js';
import type { Attributes } from './allocator.js';

/** Who holds addresses: equal holders share one entry of a block. */
export interface Holder {
  readonly handle: string | undefined;
  readonly attributes: Attributes;
}

/**
 * Neighbouring addresses (64, unless the pool says otherwise) and who holds each of them. An ordinal is the
 * place of an address in the block, counted from 0; network and broadcast address are handed out like any other.
 */
export interface Block {
  readonly cidr: Cidr;
  /** `host:<node>`; undefined when no node owns it any more */
  readonly affinity: string | undefined;
  /** when the present owner claimed it, in milliseconds since the epoch; undefined in records of old */
  readonly claimedAt: number | undefined;
  /** per ordinal the index of its holder, null when free */
  readonly allocations: readonly (number | null)[];
  /** free ordinals, next to be given out first; released ones go to the back, so reuse comes late */
  readonly unallocated: readonly number[];
  readonly holders: readonly Holder[];
  /** grows with every change and starts at the time of creation, so that a block made anew differs */
  readonly sequence: number;
  /** per held ordinal the sequence at which it was taken: tells one holder of an address from the next */
  readonly allocationSequence: Readonly<Record<string, number>>;
}

/** An address that was freed, and who had held it. */
export interface Freed {
  readonly address: string;
  readonly handle: string | undefined;
}

/** Length of the network of a block where the pool does not say it: 64 addresses of either version. */
export function defaultBlockLength(version: IpVersion): number {
  return version === 4 ? 26 : 122;
}

/** Whether a block may have that length: a record lists every address, so that 4096 is the most. */
export function isBlockLength(version: IpVersion, length: number): boolean {
  return Number.isInteger(length) && length >= widthOf(version) - 12 && length <= widthOf(version);
}

/** A block nobody holds an address of; `startedAt` in milliseconds since the epoch. */
export function newBlock(cidr: Cidr, node: string, startedAt: number): Block {
  const size = Number(sizeOf(cidr));
  return {
    cidr,
    affinity: affinityOf(node),
    claimedAt: startedAt,
    allocations: Array<null>(size).fill(null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    holders: [],
    // Microseconds: nanoseconds, as Calico writes them, do not fit into a double.
    sequence: Math.floor(startedAt * 1000),
    allocationSequence: {},
  };
}

/** The affinity text of a block that `node` owns. */
export function affinityOf(node: string): string {
  return `host:${node}`;
}

/** The node that owns the block; undefined when none does. */
export function ownerOf(block: Block): string | undefined {
  return block.affinity?.startsWith('host:') === true ? block.affinity.slice('host:'.length) : undefined;
}

export function isEmpty(block: Block): boolean {
  return block.holders.length === 0;
}

/** The place of an address in the block; undefined when it lies outside. */
export function ordinalOf(block: Block, ip: Ip): number | undefined {
  return contains(block.cidr, ip) ? Number(ip.bits - block.cidr.bits) : undefined;
}

/** Canonical text of the address at a place. */
export function addressOf(block: Block, ordinal: number): string {
  return formatIp(addressAt(block.cidr, ordinal));
}

/** Who holds the address at a place; undefined when it is free or outside. */
export function holderOf(block: Block, ordinal: number): Holder | undefined {
  const index = block.allocations[ordinal];
  return index === null || index === undefined ? undefined : block.holders[index];
}

/** Every held address of the block with its holder, in order of addresses. */
export function heldAddresses(
  block: Block,
): readonly { readonly address: string; readonly holder: Holder; readonly sequence: number | undefined }[] {
  return block.allocations.flatMap((_, ordinal) => {
    const holder = holderOf(block, ordinal);
    if (holder === undefined) return [];
    return [{ address: addressOf(block, ordinal), holder, sequence: sequenceOf(block, ordinal) }];
  });
}

/** The sequence at which the address at a place was taken: another one is another holder. */
export function sequenceOf(block: Block, ordinal: number): number | undefined {
  return block.allocationSequence[String(ordinal)];
}

/** Takes up to `count` addresses from the front of the free ones, without those that are to be left alone. */
export function takeNext(
  block: Block,
  want: { readonly count: number; readonly holder: Holder; readonly avoid: (address: string) => boolean },
): { readonly block: Block; readonly addresses: readonly string[] } {
  const ordinals: number[] = [];
  const addresses: string[] = [];
  for (const ordinal of block.unallocated) {
    if (ordinals.length >= want.count) break;
    const address = addressOf(block, ordinal);
    if (want.avoid(address)) continue;
    ordinals.push(ordinal);
    addresses.push(address);
  }
  return { block: take(block, ordinals, want.holder), addresses };
}

/** Takes the address at one place; undefined when somebody holds it or the block has no such place. */
export function takeOrdinal(block: Block, ordinal: number, holder: Holder): Block | undefined {
  return block.unallocated.includes(ordinal) ? take(block, [ordinal], holder) : undefined;
}

function take(block: Block, ordinals: readonly number[], holder: Holder): Block {
  if (ordinals.length === 0) return block;
  const known = block.holders.findIndex(other => sameHolder(other, holder));
  const index = known < 0 ? block.holders.length : known;
  const allocations = [...block.allocations];
  for (const ordinal of ordinals) allocations[ordinal] = index;
  const sequence = nextSequence(block.sequence);
  return {
    ...block,
    allocations,
    unallocated: block.unallocated.filter(ordinal => !ordinals.includes(ordinal)),
    holders: known < 0 ? [...block.holders, holder] : block.holders,
    sequence,
    allocationSequence: {
      ...block.allocationSequence,
      ...Object.fromEntries(ordinals.map(ordinal => [String(ordinal), sequence])),
    },
  };
}

/** Frees every address whose place and holder satisfy `mine`; holders without an address disappear. */
export function release(
  block: Block,
  mine: (ordinal: number, holder: Holder) => boolean,
): { readonly block: Block; readonly freed: readonly Freed[] } {
  const ordinals = block.allocations.flatMap((_, ordinal) => {
    const holder = holderOf(block, ordinal);
    return holder !== undefined && mine(ordinal, holder) ? [ordinal] : [];
  });
  if (ordinals.length === 0) return { block, freed: [] };
  const freed = ordinals.map(o => ({ address: addressOf(block, o), handle: holderOf(block, o)?.handle }));
  const kept = block.allocations.map((index, ordinal) => (ordinals.includes(ordinal) ? null : index));
  const used = [...block.holders.keys()].filter(index => kept.includes(index));
  return {
    freed,
    block: {
      ...block,
      allocations: kept.map(index => (index === null ? null : used.indexOf(index))),
      unallocated: [...block.unallocated, ...ordinals],
      holders: block.holders.filter((_, index) => used.includes(index)),
      sequence: nextSequence(block.sequence),
      allocationSequence: Object.fromEntries(
        Object.entries(block.allocationSequence).filter(([ordinal]) => !ordinals.includes(Number(ordinal))),
      ),
    },
  };
}

/** The block without an owner. */
export function withoutAffinity(block: Block): Block {
  return { ...block, affinity: undefined, claimedAt: undefined, sequence: nextSequence(block.sequence) };
}

/** The block as another node's from `now` on (milliseconds since the epoch). */
export function claimedBy(block: Block, node: string, now: number): Block {
  return { ...block, affinity: affinityOf(node), claimedAt: now, sequence: nextSequence(block.sequence) };
}

/** One more; where a double is too coarse for that (nanoseconds of another writer), the next larger one. */
function nextSequence(sequence: number): number {
  return sequence + 1 > sequence ? sequence + 1 : sequence * (1 + Number.EPSILON);
}

function sameHolder(a: Holder, b: Holder): boolean {
  if (a.handle !== b.handle) return false;
  const [left, right] = [Object.entries(a.attributes), Object.entries(b.attributes)];
  return left.length === right.length && left.every(([key, value]) => b.attributes[key] === value);
}
