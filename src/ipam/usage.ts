import type { Store } from '../datastore/index.js';
import { contains, formatCidr, parseCidr, parseIp, sizeOf } from '../net/index.js';
import type { Cidr, IpVersion } from '../net/index.js';
import type { Assignment, Attributes } from './allocator.js';
import { heldAddresses, ordinalOf, ownerOf, holderOf, sequenceOf } from './block.js';
import type { Block } from './block.js';
import { nodeOf, poolCovering } from './codec.js';
import { readRecords } from './records.js';
import type { IpamRecords } from './records.js';
import { readBlockOf } from './release.js';

/** How many addresses; above 2^53 (a large IPv6 pool) only nearly. */
export interface AddressCounts {
  readonly total: number;
  readonly used: number;
  /** neither used nor reserved */
  readonly free: number;
}

export interface PoolUsage extends AddressCounts {
  /** canonical */
  readonly cidr: string;
  readonly version: IpVersion;
  readonly enabled: boolean;
  /** length of the network of its blocks */
  readonly blockLength: number;
  readonly blocks: number;
}

export interface BlockUsage extends AddressCounts {
  /** canonical */
  readonly cidr: string;
  readonly version: IpVersion;
  /** the pool that covers it; undefined when none does */
  readonly pool: string | undefined;
  /** the owner; undefined when it has none */
  readonly node: string | undefined;
}

export interface HostUsage {
  readonly node: string;
  readonly blocks: number;
  /** addresses held on the host, wherever their block is */
  readonly used: number;
  /** of these, how many are from blocks of others */
  readonly borrowed: number;
}

/** An address in use on another node than the one that owns its block. */
export interface BorrowedAddress {
  readonly address: string;
  readonly block: string;
  readonly owner: string | undefined;
  readonly node: string;
  readonly handle: string | undefined;
  readonly attributes: Attributes;
}

/** What is in use, by pool, by block, and by host; in order of addresses and of names. */
export interface Usage {
  readonly pools: readonly PoolUsage[];
  readonly blocks: readonly BlockUsage[];
  readonly hosts: readonly HostUsage[];
  readonly borrowed: readonly BorrowedAddress[];
}

/** Counts what is in use, as of one revision of the store. */
export async function usage(store: Store): Promise<Usage> {
  const records = await readRecords(store);
  const blocks = [...records.blocks.values()]
    .map(({ value }) => value)
    .sort((a, b) => byAddress(a.cidr, b.cidr));
  const reserved = records.reservations.flatMap(({ cidrs }) => cidrs.flatMap(text => parseCidr(text) ?? []));
  return {
    pools: [...records.pools]
      .sort((a, b) => byAddress(a.cidr, b.cidr))
      .map(pool => {
        const inside = blocks.filter(({ cidr }) => contains(pool.cidr, cidr));
        const { cidr, enabled, blockLength } = pool;
        return {
          cidr: formatCidr(cidr),
          version: cidr.version,
          enabled,
          blockLength,
          blocks: inside.length,
          ...countsOf(cidr, inside, reserved),
        };
      }),
    blocks: blocks.map(block => {
      const pool = poolCovering(records.pools, block.cidr);
      return {
        cidr: formatCidr(block.cidr),
        version: block.cidr.version,
        pool: pool && formatCidr(pool.cidr),
        node: ownerOf(block),
        ...countsOf(block.cidr, [block], reserved),
      };
    }),
    hosts: hostsOf(records, blocks),
    borrowed: blocks.flatMap(borrowedOf),
  };
}

/** Version 4 first, then by address. */
function byAddress(a: Cidr, b: Cidr): number {
  if (a.version !== b.version) return a.version - b.version;
  if (a.bits !== b.bits) return a.bits < b.bits ? -1 : 1;
  return a.length - b.length;
}

function countsOf(range: Cidr, blocks: readonly Block[], reserved: readonly Cidr[]): AddressCounts {
  const total = Number(sizeOf(range));
  const held = blocks.map(block => block.allocations.filter(index => index !== null).length);
  const used = held.reduce((sum, count) => sum + count, 0);
  const inside = outermost(reserved).flatMap(each => {
    if (contains(range, each)) return [each];
    return contains(each, range) ? [range] : [];
  });
  // A reserved address that somebody holds all the same counts as used.
  const heldReserved = blocks
    .flatMap(heldAddresses)
    .filter(({ address }) => inside.some(each => containsText(each, address))).length;
  const kept = inside.reduce((sum, each) => sum + Number(sizeOf(each)), 0) - heldReserved;
  return { total, used, free: Math.max(0, total - used - kept) };
}

function containsText(range: Cidr, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && contains(range, ip);
}

/** The ranges without those inside another: each address counts once. */
function outermost(ranges: readonly Cidr[]): readonly Cidr[] {
  return ranges.filter((range, index) =>
    ranges.every(
      (other, place) =>
        place === index || !contains(other, range) || (contains(range, other) && index < place),
    ),
  );
}

function hostsOf({ claims }: IpamRecords, blocks: readonly Block[]): readonly HostUsage[] {
  const nodes = new Set(claims.map(({ node }) => node));
  const counts = new Map<string, { blocks: number; used: number; borrowed: number }>();
  const of = (node: string): { blocks: number; used: number; borrowed: number } => {
    const known = counts.get(node) ?? { blocks: 0, used: 0, borrowed: 0 };
    counts.set(node, known);
    return known;
  };
  for (const node of nodes) of(node);
  for (const block of blocks) {
    const owner = ownerOf(block);
    if (owner !== undefined) of(owner).blocks++;
    for (const { holder } of heldAddresses(block)) {
      const node = nodeOf(holder.attributes) ?? owner;
      if (node === undefined) continue;
      of(node).used++;
      if (node !== owner) of(node).borrowed++;
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, count]) => ({ node, ...count }));
}

function borrowedOf(block: Block): readonly BorrowedAddress[] {
  const owner = ownerOf(block);
  return heldAddresses(block).flatMap(({ address, holder }) => {
    const node = nodeOf(holder.attributes);
    if (node === undefined || node === owner) return [];
    return [{ address, block: formatCidr(block.cidr), owner, node, ...holder }];
  });
}

/** All that is known of one address. */
export interface AddressDetails {
  readonly address: string;
  /** the pool that covers it */
  readonly pool: string | undefined;
  /** the block it is in, where that exists */
  readonly block: string | undefined;
  readonly blockOwner: string | undefined;
  /** undefined: nobody holds it */
  readonly assignment: Assignment | undefined;
  /** names of the reservations that keep it from being given out by itself */
  readonly reservedBy: readonly string[];
}

/** Looks one address up; undefined when the text is no address. */
export async function showAddress(store: Store, address: string): Promise<AddressDetails | undefined> {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const [records, seen] = [await readRecords(store), await readBlockOf(store, ip)];
  const block = seen?.value;
  const ordinal = block && ordinalOf(block, ip);
  const holder = block && ordinal !== undefined ? holderOf(block, ordinal) : undefined;
  const pool = records.pools.find(({ cidr }) => contains(cidr, ip));
  const name = block && formatCidr(block.cidr);
  return {
    address,
    pool: pool && formatCidr(pool.cidr),
    block: name,
    blockOwner: block && ownerOf(block),
    assignment:
      block && name !== undefined && holder && ordinal !== undefined
        ? { address, block: name, ...holder, sequence: sequenceOf(block, ordinal) }
        : undefined,
    reservedBy: records.reservations
      .filter(({ cidrs }) =>
        cidrs.some(text => containsText(parseCidr(text) ?? { ...ip, length: 0 }, address)),
      )
      .map(({ name: reservation }) => reservation),
  };
}
