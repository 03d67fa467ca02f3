import { contains, formatCidr, parseCidr, sizeOf } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { Attributes } from './allocator.js';
import { affinityOf, defaultBlockLength, isBlockLength } from './block.js';
import type { Block, Holder } from './block.js';

/** A claim of a node on a block. Only `confirmed` is advertised; the others are a claim or release under way. */
export type AffinityState = 'pending' | 'confirmed' | 'pendingDeletion';

/** Addresses of one owner per block (canonical CIDR). */
export type HandleCounts = Readonly<Record<string, number>>;

export interface PoolRecord {
  readonly cidr: Cidr;
  /** false: its addresses stay, no new ones are given out */
  readonly enabled: boolean;
  /** length of the network of its blocks */
  readonly blockLength: number;
}

export interface IpamConfig {
  /** a node takes addresses only from its own blocks */
  readonly strictAffinity: boolean;
  /** a node may claim blocks by itself */
  readonly autoAllocateBlocks: boolean;
  /** how many blocks of each version a node may own; undefined: as many as there are */
  readonly maxBlocksPerHost: number | undefined;
}

/** Ranges that are never given out by themselves; who asks for such an address by name gets it. */
export interface Reservation {
  readonly name: string;
  /** canonical */
  readonly cidrs: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Reads a block. Unknown members are ignored; undefined when what counts is not there. */
export function parseBlock(text: string): Block | undefined {
  const json = parseObject(text);
  const cidr = typeof json?.['cidr'] === 'string' ? parseCidr(json['cidr']) : undefined;
  if (json === undefined || cidr === undefined || !isBlockLength(cidr.version, cidr.length)) return undefined;
  const holders = Array.isArray(json['attributes']) ? json['attributes'].map(parseHolder) : [];
  const stored: readonly unknown[] = Array.isArray(json['allocations']) ? json['allocations'] : [];
  if (stored.length !== Number(sizeOf(cidr))) return undefined;
  const allocations: (number | null)[] = [];
  for (const index of stored) {
    if (index !== null && (typeof index !== 'number' || holders[index] === undefined)) return undefined;
    allocations.push(index);
  }
  const sequences = asObject(json['sequenceNumberForAllocation']) ?? {};
  return {
    cidr,
    affinity: affinityText(json),
    claimedAt: timeOf(json['affinity_claim_time']),
    allocations,
    unallocated: freeOrdinals(allocations, json['unallocated']),
    holders,
    sequence: typeof json['sequenceNumber'] === 'number' ? json['sequenceNumber'] : 0,
    allocationSequence: Object.fromEntries(
      Object.entries(sequences).filter((pair): pair is [string, number] => typeof pair[1] === 'number'),
    ),
  };
}

/** The order as stored, made to agree with the allocations: they are the truth. */
function freeOrdinals(allocations: readonly (number | null)[], stored: unknown): readonly number[] {
  const free = new Set(allocations.flatMap((index, ordinal) => (index === null ? [ordinal] : [])));
  const ordered = Array.isArray(stored) ? stored.filter((o): o is number => free.has(o)) : [];
  return [...new Set([...ordered, ...free])];
}

function affinityText(json: Json): string | undefined {
  if (typeof json['affinity'] === 'string') return json['affinity'];
  // Written by versions before Calico 1.0.
  return typeof json['hostAffinity'] === 'string' ? affinityOf(json['hostAffinity']) : undefined;
}

function timeOf(text: unknown): number | undefined {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function parseHolder(value: unknown): Holder {
  const json = asObject(value) ?? {};
  const attributes = Object.entries(asObject(json['secondary']) ?? {});
  return {
    handle: typeof json['handle_id'] === 'string' ? json['handle_id'] : undefined,
    attributes: Object.fromEntries(
      attributes.filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ),
  };
}

/** The JSON form of Calico 2.0 (`strictAffinity` as of creation), with the sequence numbers of later ones. */
export function formatBlock(block: Block): string {
  return JSON.stringify({
    cidr: formatCidr(block.cidr),
    affinity: block.affinity ?? null,
    ...(block.claimedAt === undefined
      ? {}
      : { affinity_claim_time: new Date(block.claimedAt).toISOString() }),
    strictAffinity: false,
    allocations: block.allocations,
    unallocated: block.unallocated,
    attributes: block.holders.map(({ handle, attributes }) => ({
      handle_id: handle ?? null,
      secondary: Object.keys(attributes).length === 0 ? null : attributes,
    })),
    sequenceNumber: block.sequence,
    sequenceNumberForAllocation: block.allocationSequence,
  });
}

/** Reads an affinity. Before Calico 3 it was `{}` or empty: a completed claim. */
export function parseAffinity(text: string): AffinityState {
  const state = parseObject(text)?.['state'];
  return state === 'pending' || state === 'pendingDeletion' ? state : 'confirmed';
}

export function formatAffinity(state: AffinityState): string {
  return JSON.stringify({ state, deleted: false });
}

/** Reads a handle; counts that are no positive whole number are left out. */
export function parseHandle(text: string): HandleCounts {
  const blocks = asObject(parseObject(text)?.['block']) ?? {};
  return Object.fromEntries(
    Object.entries(blocks).filter(
      (pair): pair is [string, number] => Number.isInteger(pair[1]) && Number(pair[1]) > 0,
    ),
  );
}

export function formatHandle(counts: HandleCounts): string {
  return JSON.stringify({ block: counts });
}

/** Reads a pool; undefined when it is none, or cannot be cut into blocks of the size it asks for. */
export function parsePool(text: string): PoolRecord | undefined {
  const json = parseObject(text);
  const cidr = typeof json?.['cidr'] === 'string' ? parseCidr(json['cidr']) : undefined;
  if (json === undefined || cidr === undefined) return undefined;
  const length = json['blockSize'] ?? defaultBlockLength(cidr.version);
  if (typeof length !== 'number' || !isBlockLength(cidr.version, length) || cidr.length > length)
    return undefined;
  return { cidr, enabled: json['disabled'] !== true, blockLength: length };
}

/** Reads the switches; absent means not strict, and blocks are claimed as needed. */
export function parseConfig(text: string | undefined): IpamConfig {
  const json = text === undefined ? undefined : parseObject(text);
  if (json === undefined)
    return { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: undefined };
  const most = json['maxBlocksPerHost'];
  return {
    strictAffinity: json['strict_affinity'] === true,
    autoAllocateBlocks: json['auto_allocate_blocks'] === true,
    maxBlocksPerHost: typeof most === 'number' && Number.isInteger(most) && most > 0 ? most : undefined,
  };
}

export function formatConfig(config: IpamConfig): string {
  return JSON.stringify({
    strict_affinity: config.strictAffinity,
    auto_allocate_blocks: config.autoAllocateBlocks,
    ...(config.maxBlocksPerHost === undefined ? {} : { maxBlocksPerHost: config.maxBlocksPerHost }),
  });
}

/** Reads the reservations; what is no name with networks is left out. */
export function parseReservations(text: string | undefined): readonly Reservation[] {
  const list = text === undefined ? undefined : parseObject(text)?.['reservations'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((each: unknown): readonly Reservation[] => {
    const { name, cidrs } = asObject(each) ?? {};
    if (typeof name !== 'string' || !Array.isArray(cidrs)) return [];
    const read = cidrs.flatMap((cidr: unknown) => (typeof cidr === 'string' ? (parseCidr(cidr) ?? []) : []));
    return [{ name, cidrs: read.map(formatCidr) }];
  });
}

export function formatReservations(reservations: readonly Reservation[]): string {
  return JSON.stringify({ reservations });
}

/** The first of `pools` that covers a network. */
export function poolCovering<P extends PoolRecord>(pools: readonly P[], cidr: Cidr): P | undefined {
  return pools.find(pool => contains(pool.cidr, cidr));
}

/** The attributes of a holder that name the node it lives on; undefined when unknown. */
export function nodeOf(attributes: Attributes): string | undefined {
  return attributes['node'];
}

function parseObject(text: string): Json | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
