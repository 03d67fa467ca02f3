import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectorText, someLabels } from '../../test/support/selector-arbitrary.js';
import { canonicalText, matches, parseSelector, selectorId } from './index.js';
import type { Selector } from './index.js';

function parsed(text: string): Selector {
  const result = parseSelector(text);
  if (!result.ok) throw new Error(`${text}: ${result.reason}`);
  return result.selector;
}

describe('labels', () => {
  test.each([
    ['', {}, true],
    ["a == 'x'", { a: 'x' }, true],
    ["a == 'x'", { a: 'y' }, false],
    ["a == 'x'", {}, false],
    ["a == ''", {}, false],
    ["a == ''", { a: '' }, true],
    ["a != 'x'", {}, true],
    ["a != 'x'", { a: 'x' }, false],
    ["a != 'x'", { a: 'y' }, true],
    ["a in {'x', 'y'}", { a: 'y' }, true],
    ["a in {'x', 'y'}", {}, false],
    ['a in {}', { a: '' }, false],
    ["a not in {'x'}", {}, true],
    ["a not in {'x'}", { a: 'x' }, false],
    ['a not in {}', { a: 'x' }, true],
    ['has(a)', { a: '' }, true],
    ['has(a)', { b: '' }, false],
    ["!a == 'b'", {}, true],
    ["a == 'x' && b == 'y' || has(c)", { c: '1' }, true],
    ["a == 'x' && (b == 'y' || has(c))", { c: '1' }, false],
    // What every object inherits is no label.
    ['has(constructor)', {}, false],
    ["toString != 'x'", {}, true],
    ['has(constructor)', { constructor: 'x' }, true],
  ])('under %j: %j gives %s', (text, labels, verdict) => {
    expect(matches(parsed(text), labels as Readonly<Record<string, string>>)).toBe(verdict);
  });

  test('give the same verdict under a selector and its canonical text, and the opposite under its negation', () => {
    fc.assert(
      fc.property(selectorText, someLabels, (text, labels) => {
        const selector = parsed(text);
        const verdict = matches(selector, labels);
        expect(matches(parsed(canonicalText(selector)), labels)).toBe(verdict);
        expect(matches(parsed(`!(${text || 'all()'})`), labels)).toBe(!verdict);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the id of a selector', () => {
  test('is the same for every spelling and fits in a name', () => {
    const ids = ["a=='x'&&has(b)", `(a == "x" && has( b ))`].map(text => selectorId(parsed(text)));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^s:[A-Za-z0-9_-]{38}$/);
    expect(selectorId(parsed("a == 'y' && has(b)"))).not.toBe(ids[0]);
  });

  test('is SHA-224 in base64url of the canonical text', () => {
    // printf 's:all()' | sha224sum
    expect(selectorId(parsed(''))).toBe('s:5y5I3VdRZfDU01O--xXAPx2yxCQQqMf0M6IWug');
  });
});
