import { array, assert, constantFrom, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { nearestWord } from './nearest-word.js';

const known = ['policy', 'profile', 'ipPool', 'node', 'get'];

test.each([
  ['polcy', 'policy'],
  ['plicoy', 'policy'],
  ['POLICY', 'policy'],
  ['ippool', 'ipPool'],
  ['gte', 'get'],
  ['nod', 'node'],
  ['set', 'get'],
  ['put', undefined],
  ['selector', undefined],
  ['', undefined],
])('for %j the nearest word is %s', (typed, meant) => {
  expect(nearestWord(typed, known)).toBe(meant);
});

test('a word of any length and characters has an answer, and a known one is its own', () => {
  assert(
    property(
      array(string({ maxLength: 100 }), { maxLength: 5 }),
      string({ maxLength: 100 }),
      (words, typed) => {
        const meant = nearestWord(typed, words);
        expect(meant === undefined || words.includes(meant)).toBe(true);
      },
    ),
  );
  assert(
    property(constantFrom(...known), word => {
      expect(nearestWord(word, known)).toBe(word);
    }),
  );
  expect(nearestWord('x'.repeat(100_000), known)).toBeUndefined();
});
