import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectorText } from '../../test/support/selector-arbitrary.js';
import { canonicalText } from './canonical.js';
import { parseSelector } from './parser.js';
import type { Selector } from './selector.js';

function parsed(text: string): Selector {
  const result = parseSelector(text);
  if (!result.ok) throw new Error(`${text}: ${result.reason} at ${String(result.position)}`);
  return result.selector;
}

function refused(text: string): string {
  const result = parseSelector(text);
  return result.ok
    ? `accepted as ${canonicalText(result.selector)}`
    : `${result.reason} @${String(result.position)}`;
}

describe('a selector', () => {
  test.each([
    ['', 'all()'],
    [' \t', 'all()'],
    ["a=='x'", 'a == "x"'],
    ['a == \'say "x"\'', 'a == \'say "x"\''],
    ['a == "x\'y"', 'a == "x\'y"'],
    ["a != 'x'", 'a != "x"'],
    ["a in {'c', 'b','c',}", 'a in {"b", "c"}'],
    ['a in {}', 'a in {}'],
    ["a notin {'b'}", 'a not in {"b"}'],
    ["a not \t\n in {'b'}", 'a not in {"b"}'],
    ['has( \n a\t)', 'has(a)'],
    ['all( )', 'all()'],
    ["((a == 'x'))", 'a == "x"'],
    ["!a == 'b'", '!a == "b"'],
    ['!!!has(a)', '!has(a)'],
    ['!!has(a)', 'has(a)'],
    ['!(!has(a))', 'has(a)'],
    ['! ( has(a) && has(b) )', '!(has(a) && has(b))'],
    ['has(a) && has(b) || has(c)', '((has(a) && has(b)) || has(c))'],
    ['has(a) && (has(b) || has(c))', '(has(a) && (has(b) || has(c)))'],
    ['has(a) && has(b) && has(c)', '(has(a) && has(b) && has(c))'],
    ['has(a) && (has(b) && has(c))', '(has(a) && (has(b) && has(c)))'],
  ])('%j means %s', (text, canonical) => {
    expect(canonicalText(parsed(text))).toBe(canonical);
  });

  test.each([
    "inzone == 'b'",
    "in_zone == 'b'",
    "not == 'x'",
    "notinx == 'x'",
    "nothing == 'x'",
    "all == 'x'",
    "has == 'x'",
    "hasx == 'x'",
    "/a == 'x'",
    "-x/a == 'x'",
    "projectcalico.org/name == 'x'",
    `${'a'.repeat(5000)} == 'x'`,
    "constructor == 'x'",
  ])('%j is one test of a label', text => {
    expect(parsed(text)).toMatchObject({ kind: 'equals' });
  });

  test.each([
    ["a == 'x'\n", 'unexpected characters @8'],
    ["in-zone == 'b'", 'unexpected characters @2'],
    ["in.x == 'b'", 'unexpected characters @2'],
    ["in.x == 'b'", 'unexpected characters @2'],
    ["notin == 'x'", 'Unexpected token: notin @0'],
    ["a/b/c == 'x'", 'Expected == or != not /c @3'],
    ['has (a)', 'Expected == or != not ( @4'],
    ['all ()', 'Expected == or != not ( @4'],
    ["a_ == 'b'", 'unexpected characters @1'],
    ["_a == 'b'", 'unexpected characters @0'],
    ["-a == 'b'", 'unexpected characters @0'],
    ["a = 'b'", 'expected == @2'],
    ['a & b', 'expected && @2'],
    ['a | b', 'expected || @2'],
    ["'b' == a", 'Unexpected token: b @0'],
    ['a == b', 'Expected string not b @5'],
    ['a', 'Expected == or != not end of selector @1'],
    ['()', 'Unexpected token: ) @1'],
    ['!', 'Unexpected end of string in middle of op @1'],
    ['has(a) &&', 'Unexpected end of string in middle of op @9'],
    ["a == 'x' b", 'unexpected content at end of selector: b @9'],
    ["a == 'x", 'unterminated string @5'],
    ['(has(a)', 'Expected ) not end of selector @7'],
    ["a in 'b'", 'Expected set literal not b @5'],
    ["a in {'b' 'c'}", 'Expected } not c @10'],
    ["a in {,'b'}", 'Expected } not , @6'],
    [`${'-'.repeat(254)}/a == 'x'`, 'unexpected characters @0'],
  ])('%j is refused: %s', (text, reason) => {
    expect(refused(text)).toBe(reason);
  });

  test('nested in very many parentheses is refused, not a crash', () => {
    expect(refused('('.repeat(100_000))).toMatch(/^nested too deep/);
    expect(refused('!('.repeat(300) + 'has(a) || has(b)' + ')'.repeat(300))).toMatch(/has\(a\)/);
    expect(refused('(has(a) || '.repeat(300) + 'has(b)' + ')'.repeat(300))).toMatch(/^nested too deep/);
  });

  test('with a hundred thousand terms or negations is read', () => {
    expect(parsed('has(a) && '.repeat(100_000) + 'has(b)')).toMatchObject({ kind: 'and' });
    expect(parsed('!'.repeat(100_001) + 'has(b)')).toMatchObject({ kind: 'not' });
  });

  test('of a megabyte of label characters is refused in time that grows with its length only', () => {
    // Some tens of milliseconds; were it the square of the length, hours, which the test's time limit ends.
    for (const text of [
      'a_-'.repeat(300_000),
      'a' + '_'.repeat(999_999),
      'has('.repeat(100_000),
      `has(${' '.repeat(500_000)}a`,
      `not${' '.repeat(500_000)}x == 'a'`,
    ]) {
      expect(parseSelector(text)).toMatchObject({ ok: false });
    }
  });

  test('of any text whatever is either read or refused with a place inside the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ' ',
      '(',
      ')',
      '!',
      '==',
      '!=',
      '&&',
      '||',
      'in',
      'not',
      '{',
      '}',
      ',',
      "'x'",
      '"',
      'has(',
      'all()',
      '/',
      '_',
      '\n',
      'é',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map(parts => parts.join('')),
    );
    fc.assert(
      fc.property(texts, text => {
        const result = parseSelector(text);
        if (result.ok) return;
        expect(result.reason).not.toBe('');
        expect(result.position).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 3000 },
    );
  });

  test('has a canonical text that reads back as the same tree', () => {
    fc.assert(
      fc.property(selectorText, text => {
        const selector = parsed(text);
        expect(parsed(canonicalText(selector))).toEqual(selector);
      }),
      { numRuns: 2000 },
    );
  });
});
