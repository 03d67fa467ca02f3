import { describe, expect, test } from 'vitest';
import { contains, formatCidr, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { TakenRanges, inWalkOrder, nextFreeBlock } from './choose.js';
import type { Range } from './choose.js';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`no CIDR: ${text}`);
  return parsed;
}

function range(text: string, blockLength = 26): Range {
  return { cidr: cidr(text), blockLength };
}

const nothing = (): TakenRanges => new TakenRanges([], []);

function allBlocks(pools: readonly Range[], node: string, taken = nothing()): string[] {
  const found: string[] = [];
  for (;;) {
    const block = nextFreeBlock(pools, node, taken);
    if (block === undefined) return found;
    taken.add(block);
    found.push(formatCidr(block));
  }
}

describe('the search for a free block', () => {
  const pool = range('10.1.0.0/22');

  test('finds every block of a pool exactly once', () => {
    const blocks = allBlocks([pool], 'n1');
    expect(new Set(blocks).size).toBe(16);
    expect(blocks.every(block => contains(pool.cidr, cidr(block)))).toBe(true);
  });

  test('begins at the same block for the same node', () => {
    expect(nextFreeBlock([pool], 'n1', nothing())).toEqual(nextFreeBlock([pool], 'n1', nothing()));
  });

  test('begins at different blocks for most nodes with similar names', () => {
    const wide = range('10.0.0.0/8');
    const starts = Array.from({ length: 100 }, (_, i) =>
      nextFreeBlock([wide], `node-${String(i)}`, nothing()),
    );
    expect(new Set(starts.map(start => start && formatCidr(start))).size).toBeGreaterThan(95);
  });

  test('goes on in the next pool when the first is used up', () => {
    expect(
      allBlocks([range('10.0.0.0/26'), range('10.2.0.0/25')], 'n1')
        .slice(1)
        .sort(),
    ).toEqual(['10.2.0.0/26', '10.2.0.64/26']);
  });

  test('answers at once in an IPv6 pool that is too large to walk', () => {
    const wide = range('fd00::/48', 122);
    const block = nextFreeBlock([wide], 'n1', nothing());
    expect(block?.length).toBe(122);
    expect(block && contains(wide.cidr, block)).toBe(true);
  });

  test('answers at once where nearly all of a huge pool is reserved', () => {
    const wide = range('fd00::/48', 122);
    const reserved = [cidr('fd00::/49'), cidr('fd00:0:0:8000::/50'), cidr('fd00:0:0:c000::/51')];
    const block = nextFreeBlock([wide], 'n1', new TakenRanges([], reserved));
    expect(block && contains(cidr('fd00:0:0:e000::/51'), block)).toBe(true);
  });

  test('cuts a pool into blocks of its own size, around blocks of another', () => {
    expect(allBlocks([range('10.1.0.0/26', 28)], 'n1')).toHaveLength(4);
    const taken = new TakenRanges([cidr('10.1.0.0/27'), cidr('10.1.0.48/30')], []);
    expect(allBlocks([range('10.1.0.0/26', 28)], 'n1', taken)).toEqual(['10.1.0.32/28']);
  });

  test('leaves out what is reserved as a whole, and takes what is reserved in part', () => {
    const taken = new TakenRanges([], [cidr('10.1.0.0/26'), cidr('10.1.0.64/28')]);
    expect(allBlocks([range('10.1.0.0/25')], 'n1', taken)).toEqual(['10.1.0.64/26']);
  });

  test('is the order in which blocks of others are borrowed from', () => {
    const blocks = allBlocks([pool], 'n1').map(cidr);
    expect(inWalkOrder([...blocks].reverse(), [pool], 'n1')).toEqual(blocks);
  });
});
