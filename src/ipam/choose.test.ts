import { describe, expect, test } from 'vitest';
import { contains, formatCidr, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { inWalkOrder, nextFreeBlock } from './choose.js';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`no CIDR: ${text}`);
  return parsed;
}

function allBlocks(pools: readonly Cidr[], node: string): string[] {
  const taken = new Set<string>();
  for (;;) {
    const block = nextFreeBlock(pools, node, taken);
    if (block === undefined) return [...taken];
    taken.add(formatCidr(block));
  }
}

describe('the search for a free block', () => {
  const pool = cidr('10.1.0.0/22');

  test('finds every block of a pool exactly once', () => {
    const blocks = allBlocks([pool], 'n1');
    expect(new Set(blocks).size).toBe(16);
    expect(blocks.every(block => contains(pool, cidr(block)))).toBe(true);
  });

  test('begins at the same block for the same node', () => {
    expect(nextFreeBlock([pool], 'n1', new Set())).toEqual(nextFreeBlock([pool], 'n1', new Set()));
  });

  test('begins at different blocks for most nodes with similar names', () => {
    const wide = cidr('10.0.0.0/8');
    const starts = Array.from({ length: 100 }, (_, i) =>
      nextFreeBlock([wide], `node-${String(i)}`, new Set()),
    );
    expect(new Set(starts.map(start => start && formatCidr(start))).size).toBeGreaterThan(95);
  });

  test('goes on in the next pool when the first is used up', () => {
    expect(
      allBlocks([cidr('10.0.0.0/26'), cidr('10.2.0.0/25')], 'n1')
        .slice(1)
        .sort(),
    ).toEqual(['10.2.0.0/26', '10.2.0.64/26']);
  });

  test('answers at once in an IPv6 pool that is too large to walk', () => {
    const wide = cidr('fd00::/48');
    const block = nextFreeBlock([wide], 'n1', new Set());
    expect(block?.length).toBe(122);
    expect(block && contains(wide, block)).toBe(true);
  });

  test('is the order in which blocks of others are borrowed from', () => {
    const blocks = allBlocks([pool], 'n1').map(cidr);
    expect(inWalkOrder([...blocks].reverse(), [pool], 'n1')).toEqual(blocks);
  });
});
