import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines, unifiedDiff } from './line-diff.js';

const lines = array(constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

describe('a diff of lines', () => {
  test('has both texts in it, and no more changes than lines', () => {
    assert(
      property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const without = (kind: string): readonly string[] =>
          diff.filter(line => line.kind !== kind).map(({ text }) => text);
        expect(without('added')).toEqual(before);
        expect(without('removed')).toEqual(after);
      }),
    );
  });

  test('says nothing of equal texts', () => {
    assert(property(lines, text => unifiedDiff(text, text).length === 0));
  });

  test('shows three lines around each change, and where it is', () => {
    const before = 'a b c d e f g h i j k l m n o p'.split(' ');
    const after = before.flatMap(line => (line === 'c' ? ['C'] : line === 'o' ? ['o', 'O'] : [line]));
    expect(unifiedDiff(before, after)).toEqual([
      '@@ -1,6 +1,6 @@',
      ' a',
      ' b',
      '-c',
      '+C',
      ' d',
      ' e',
      ' f',
      '@@ -13,4 +13,5 @@',
      ' m',
      ' n',
      ' o',
      '+O',
      ' p',
    ]);
    expect(unifiedDiff([], ['x'])).toEqual(['@@ -0,0 +1,1 @@', '+x']);
  });
});
