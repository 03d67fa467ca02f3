import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disjointPrefixes, prefixRange } from './prefix-range.js';

const text = array(constantFrom('a', 'b', '/', '\u007f', '\ud7ff', '\ue000', '\uffff', '🐱', '\u{10ffff}'), {
  maxLength: 4,
}).map(parts => parts.join(''));

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('the range of a prefix', () => {
  test('holds in byte order exactly the keys that start with it', () => {
    assert(
      property(text, text, (prefix, key) => {
        const { from, to } = prefixRange(prefix);
        const inside = compare(key, from) >= 0 && (to === undefined || compare(key, to) < 0);
        expect(inside).toBe(key.startsWith(prefix));
      }),
      { numRuns: 2000 },
    );
  });

  test('steps over the surrogates, and has no end after the last character', () => {
    expect(prefixRange('a\ud7ff')).toEqual({ from: 'a\ud7ff', to: 'a\ue000' });
    expect(prefixRange('a\u{10ffff}')).toEqual({ from: 'a\u{10ffff}', to: 'b' });
    expect(prefixRange('\u{10ffff}')).toEqual({ from: '\u{10ffff}', to: undefined });
    expect(prefixRange('')).toEqual({ from: '', to: undefined });
  });
});

describe('several prefixes', () => {
  test('that cover each other count once, in key order', () => {
    expect(disjointPrefixes(['b/', 'a/x', 'a/', 'b/', 'a/x/y'])).toEqual(['a/', 'b/']);
    expect(disjointPrefixes(['a', ''])).toEqual(['']);
    expect(disjointPrefixes([])).toEqual([]);
  });
});
