import { addressAt, contains, networkOf, sizeOf, widthOf } from '../net/index.js';
import type { Cidr } from '../net/index.js';

/** FNV-1 with 32 bits over the UTF-8 bytes of a text. */
function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}

/** Spreads the bits of a seed (the finishing step of MurmurHash3), so that similar names end far apart. */
function spread(seed: number): number {
  let hash = seed;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A pool, and how it is cut. */
export interface Range {
  readonly cidr: Cidr;
  /** length of the network of a block */
  readonly blockLength: number;
}

/** How many blocks a pool is cut into. */
function blocksIn({ cidr, blockLength }: Range): bigint {
  return 1n << BigInt(Math.max(0, blockLength - cidr.length));
}

/** Addresses of one block. */
function blockSizeOf({ cidr, blockLength }: Range): bigint {
  return 1n << BigInt(widthOf(cidr.version) - blockLength);
}

/** Index of the block at which a node begins its search in a pool: always the same, and spread over nodes. */
function startIndex(range: Range, node: string): bigint {
  const seed = fnv1(node);
  const draw = (BigInt(spread(seed)) << 32n) | BigInt(spread(seed ^ 0x9e3779b9));
  return draw % blocksIn(range);
}

/** Ranges that cannot become a block: where blocks are already, of whatever size, and what is reserved. */
export class TakenRanges {
  readonly #byLength = new Map<string, { readonly length: number; readonly bits: Set<bigint> }>();
  readonly #reserved: readonly Cidr[];
  #size = 0;

  constructor(blocks: Iterable<Cidr>, reserved: readonly Cidr[]) {
    this.#reserved = reserved;
    for (const block of blocks) this.add(block);
  }

  /** How many ranges there are. */
  get size(): number {
    return this.#size + this.#reserved.length;
  }

  add({ version, length, bits }: Cidr): void {
    const key = `${String(version)}/${String(length)}`;
    const known = this.#byLength.get(key) ?? { length, bits: new Set<bigint>() };
    this.#byLength.set(key, known);
    known.bits.add(bits);
    this.#size++;
  }

  /** The range that is in the way of a block; undefined when it is free. */
  inTheWayOf(block: Cidr): Cidr | undefined {
    for (const [key, { length, bits }] of this.#byLength) {
      if (!key.startsWith(String(block.version))) continue;
      if (length <= block.length) {
        const outer = networkOf(block, length);
        if (bits.has(outer.bits)) return outer;
      } else if ([...bits].some(inner => contains(block, { version: block.version, bits: inner }))) {
        return block;
      }
    }
    return this.#reserved.find(range => contains(range, block));
  }
}

/**
 * The block that a node should claim next: the first that nothing is in the way of, walking each pool from the
 * start of that node, with wrap-round. Undefined when all are taken.
 */
export function nextFreeBlock(ranges: readonly Range[], node: string, taken: TakenRanges): Cidr | undefined {
  for (const range of ranges) {
    const total = blocksIn(range);
    const start = startIndex(range, node);
    const size = blockSizeOf(range);
    for (let i = 0n; i < total;) {
      const index = (start + i) % total;
      const block = networkOf(addressAt(range.cidr, index * size), range.blockLength);
      const obstacle = taken.inTheWayOf(block);
      if (obstacle === undefined) return block;
      // On to the end of what is in the way: a huge pool is never walked step by step.
      const end = (obstacle.bits + sizeOf(obstacle) - range.cidr.bits) / size;
      i += end > index ? end - index : 1n;
    }
  }
  return undefined;
}

/** Blocks in the order in which a node walks its pools: hosts that borrow do not all borrow from the same. */
export function inWalkOrder(
  blocks: readonly Cidr[],
  ranges: readonly Range[],
  node: string,
): readonly Cidr[] {
  const ordered = ranges.flatMap(range => {
    const total = blocksIn(range);
    const start = startIndex(range, node);
    const size = blockSizeOf(range);
    const distance = (block: Cidr): bigint => ((block.bits - range.cidr.bits) / size - start + total) % total;
    return blocks
      .filter(block => contains(range.cidr, block))
      .sort((a, b) => (distance(a) < distance(b) ? -1 : 1));
  });
  return [...new Set(ordered)];
}
