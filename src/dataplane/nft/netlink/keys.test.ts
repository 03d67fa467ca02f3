import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyField, NftSet } from '../model.js';
import { intervalElements, intervalsOf, joinedIntervals } from './intervals.js';
import { keyBytes, keyFieldsOf, keyOfBytes, keyTypeOf, portBytes } from './key-bytes.js';

const keys: readonly (readonly [readonly KeyField[], string, string])[] = [
  [['ipv4_addr'], '10.65.0.1', '0a410001'],
  [['ipv6_addr'], 'fd00::1', 'fd000000000000000000000000000001'],
  [['ifname'], 'cali1', '63616c69310000000000000000000000'],
  [['inet_proto', 'inet_service'], '6 . 8080', '060000001f900000'],
  [['ipv4_addr', 'ifname'], '10.65.0.1 . cali1', '0a41000163616c69310000000000000000000000'],
  [
    ['ipv6_addr', 'inet_proto', 'inet_service'],
    'fd00::1 . 17 . 53',
    'fd0000000000000000000000000000011100000000350000',
  ],
];

function setWith(key: readonly KeyField[]): NftSet {
  return { name: 's4-a', key, verdicts: false };
}

describe('the key of an element', () => {
  test.each(keys)(
    '%j %s has the bytes that the kernel compares, and is read from them',
    (fields, text, hex) => {
      const bytes = keyBytes(setWith(fields), text);
      expect(Buffer.from(bytes).toString('hex')).toBe(hex);
      expect(bytes.length).toBe(keyTypeOf(fields).length);
      expect(keyOfBytes(fields, bytes)).toBe(text);
      expect(keyFieldsOf(keyTypeOf(fields).id)).toStrictEqual(fields);
    },
  );

  test('is refused when it is none of the set', () => {
    for (const [fields, text] of [
      [['ipv4_addr'], 'fd00::1'],
      [['ipv4_addr'], '10.0.0.1 . cali1'],
      [['ifname'], 'sixteen-letters-x'],
      [['inet_proto', 'inet_service'], '6 . 65536'],
    ] as const) {
      expect(() => keyBytes(setWith(fields), text)).toThrow(Error);
    }
  });

  test('of a type that is not ours has no fields', () => {
    expect(keyFieldsOf(0)).toBeUndefined();
    expect(keyFieldsOf(26)).toBeUndefined();
    expect(keyFieldsOf((7 << 6) | 26)).toBeUndefined();
  });
});

describe('intervals', () => {
  const arbitraryIntervals = fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff }), { minLength: 2, maxLength: 20 })
    .map(ports => {
      const sorted = [...ports].sort((a, b) => a - b);
      return sorted.flatMap((first, at) => {
        const last = sorted[at + 1];
        return at % 2 === 1 || last === undefined ? [] : [{ first: portBytes(first), last: portBytes(last) }];
      });
    });

  test('come back from their elements in any order', () => {
    fc.assert(
      fc.property(arbitraryIntervals, fc.boolean(), (intervals, isReversed) => {
        const elements = intervalElements(intervals);
        expect(intervalsOf(isReversed ? elements.toReversed() : elements)).toStrictEqual(intervals);
      }),
    );
  });

  test('that touch become one where that is asked for', () => {
    const [a, b, c] = [
      { first: portBytes(1), last: portBytes(0xff) },
      { first: portBytes(0x100), last: portBytes(0x100) },
      { first: portBytes(0x102), last: portBytes(0xffff) },
    ];
    expect(joinedIntervals([a, b, c])).toStrictEqual([{ first: a.first, last: b.last }, c]);
    expect(intervalElements([c])).toStrictEqual([{ key: c.first, open: true }]);
  });
});
