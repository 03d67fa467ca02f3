import { addressAt, contains, formatCidr, networkOf } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { blockLength, blockSize } from './block.js';

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

/** How many blocks a pool is cut into. */
function blocksIn(pool: Cidr): bigint {
  return 1n << BigInt(Math.max(0, blockLength(pool.version) - pool.length));
}

/** Index of the block at which a node begins its search in a pool: always the same, and spread over nodes. */
function startIndex(pool: Cidr, node: string): bigint {
  const seed = fnv1(node);
  const draw = (BigInt(spread(seed)) << 32n) | BigInt(spread(seed ^ 0x9e3779b9));
  return draw % blocksIn(pool);
}

/**
 * The block that a node should claim next: the first one not in `taken` (canonical CIDRs), walking each
 * pool from the start of that node, with wrap-round. Undefined when all are taken.
 */
export function nextFreeBlock(
  pools: readonly Cidr[],
  node: string,
  taken: ReadonlySet<string>,
): Cidr | undefined {
  for (const pool of pools) {
    const total = blocksIn(pool);
    const start = startIndex(pool, node);
    // Of one more block than are taken, at least one is free: a huge pool is never walked to its end.
    const enough = BigInt(taken.size) + 1n;
    for (let i = 0n; i < total && i < enough; i++) {
      const block = networkOf(addressAt(pool, ((start + i) % total) * blockSize), blockLength(pool.version));
      if (!taken.has(formatCidr(block))) return block;
    }
  }
  return undefined;
}

/** Blocks in the order in which a node walks its pools: hosts that borrow do not all borrow from the same. */
export function inWalkOrder(blocks: readonly Cidr[], pools: readonly Cidr[], node: string): readonly Cidr[] {
  const ordered = pools.flatMap(pool => {
    const total = blocksIn(pool);
    const start = startIndex(pool, node);
    const distance = (block: Cidr): bigint => ((block.bits - pool.bits) / blockSize - start + total) % total;
    return blocks.filter(block => contains(pool, block)).sort((a, b) => (distance(a) < distance(b) ? -1 : 1));
  });
  return [...new Set(ordered)];
}
