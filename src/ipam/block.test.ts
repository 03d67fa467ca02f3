import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr, parseIp } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { heldAddresses, newBlock, ordinalOf, release, takeNext, takeOrdinal } from './block.js';
import type { Block, Holder } from './block.js';
import { formatBlock, parseBlock } from './codec.js';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`no CIDR: ${text}`);
  return parsed;
}

const a = { handle: 'a', attributes: { node: 'n1' } };
const b = { handle: 'b', attributes: {} };
const next = (block: Block, count: number, holder: Holder): ReturnType<typeof takeNext> =>
  takeNext(block, { count, holder, avoid: () => false });

const fresh = newBlock(cidr('10.0.0.64/26'), 'n1', 1000);

describe('a block', () => {
  test('gives out its first address first, network and broadcast address included', () => {
    const { addresses } = next(fresh, 64, a);
    expect(addresses[0]).toBe('10.0.0.64');
    expect(addresses.at(-1)).toBe('10.0.0.127');
    expect(addresses).toHaveLength(64);
  });

  test('gives a released address out again only after all others', () => {
    const first = next(fresh, 1, a).block;
    const freed = release(first, (_, holder) => holder.handle === 'a').block;
    const { addresses } = next(freed, 64, b);
    expect(addresses[0]).toBe('10.0.0.65');
    expect(addresses.at(-1)).toBe('10.0.0.64');
  });

  test('shares the entry of equal holders and drops it with their last address', () => {
    const two = next(next(next(fresh, 1, a).block, 1, b).block, 2, a).block;
    expect(two.holders).toEqual([a, b]);
    const { block, freed } = release(two, (_, holder) => holder.handle === 'a');
    expect(freed.map(({ address }) => address)).toEqual(['10.0.0.64', '10.0.0.66', '10.0.0.67']);
    expect(block.holders).toEqual([b]);
    expect(heldAddresses(block)).toMatchObject([{ address: '10.0.0.65', holder: b }]);
  });

  test('refuses an address that is held, and one outside', () => {
    const taken = takeOrdinal(fresh, 5, a);
    expect(taken && takeOrdinal(taken, 5, b)).toBeUndefined();
    const outside = parseIp('10.0.0.128');
    expect(outside && ordinalOf(fresh, outside)).toBeUndefined();
    expect(takeOrdinal(fresh, 64, a)).toBeUndefined();
  });

  test('has another sequence number after each change, and says at which one an address was taken', () => {
    const { block } = next(fresh, 2, a);
    expect(block.sequence).toBeGreaterThan(fresh.sequence);
    expect(block.allocationSequence).toEqual({ 0: block.sequence, 1: block.sequence });
    const nanoseconds = { ...fresh, sequence: 1_790_000_000_000_000_000 };
    expect(next(nanoseconds, 1, a).block.sequence).toBeGreaterThan(nanoseconds.sequence);
  });

  test('reads back as it was written, whatever happened to it', () => {
    const step = fc.record({ handle: fc.constantFrom('a', 'b', 'c'), count: fc.nat(30), give: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        let block = newBlock(cidr('fd00::40/122'), 'n1', 1000);
        for (const { handle, count, give } of steps) {
          block = give
            ? next(block, count, { handle, attributes: {} }).block
            : release(block, (_, holder) => holder.handle === handle).block;
          expect(parseBlock(formatBlock(block))).toEqual(block);
          expect(new Set(block.unallocated).size + heldAddresses(block).length).toBe(64);
        }
      }),
    );
  });
});

describe('a stored block', () => {
  const stored = {
    cidr: '10.0.0.0/26',
    affinity: 'host:n1',
    strictAffinity: false,
    allocations: [0, 0, 1, ...Array<null>(61).fill(null)],
    unallocated: Array.from({ length: 61 }, (_, i) => i + 3),
    attributes: [
      { handle_id: 'h', secondary: { pod: 'p' } },
      { handle_id: null, secondary: null },
    ],
  };

  test('of Calico 2.0 is read', () => {
    const block = parseBlock(JSON.stringify(stored));
    expect(block && heldAddresses(block)).toEqual([
      { address: '10.0.0.0', holder: { handle: 'h', attributes: { pod: 'p' } } },
      { address: '10.0.0.1', holder: { handle: 'h', attributes: { pod: 'p' } } },
      { address: '10.0.0.2', holder: { handle: undefined, attributes: {} } },
    ]);
  });

  test('is written with the members of Calico 2.0', () => {
    const block = parseBlock(JSON.stringify(stored));
    expect(block && JSON.parse(formatBlock(block))).toMatchObject(stored);
  });

  test('with the older hostAffinity belongs to that host', () => {
    expect(parseBlock(JSON.stringify({ ...stored, affinity: undefined, hostAffinity: 'n2' }))?.affinity).toBe(
      'host:n2',
    );
  });

  test('whose list of free places disagrees with its allocations is read by the allocations', () => {
    const block = parseBlock(JSON.stringify({ ...stored, unallocated: [63, 0, 63, 99, 'x'] }));
    expect(block?.unallocated).toHaveLength(61);
    expect(block?.unallocated.slice(0, 2)).toEqual([63, 3]);
  });

  test.each([
    ['no JSON', 'x'],
    ['another size', JSON.stringify({ ...stored, cidr: '10.0.0.0/24' })],
    ['too few places', JSON.stringify({ ...stored, allocations: [null] })],
    ['a holder that does not exist', JSON.stringify({ ...stored, attributes: [] })],
  ])('with %s cannot be read', (_, text) => {
    expect(parseBlock(text)).toBeUndefined();
  });
});
