import { load } from 'js-yaml';
import {
  array,
  assert,
  boolean,
  dictionary,
  double,
  integer,
  letrec,
  oneof,
  property,
  string,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from './compare-keys.js';
import { formatJson, formatTable, formatYaml } from './index.js';
import { tableNumber } from './number-text.js';

describe('a table', () => {
  test('pads every cell to the longest of its column and three more', () => {
    expect(
      formatTable(
        ['HOSTNAME', 'NAME'],
        [
          ['host1', 'endpoint1'],
          ['myhost', 'eth0'],
        ],
      ),
    ).toBe('HOSTNAME   NAME        \nhost1      endpoint1   \nmyhost     eth0        \n\n');
  });

  test('without rows has its headings, five wide at least, and the empty line', () => {
    expect(formatTable(['A', 'NAME'], [])).toBe('A    NAME   \n\n');
  });

  test('counts code points', () => {
    expect(formatTable(['N'], [['\u{1f600}\u{1f600}\u{1f600}'], ['ab']])).toBe(
      'N     \n\u{1f600}\u{1f600}\u{1f600}   \nab    \n\n',
    );
  });

  test('shows what could steer a terminal as an escape', () => {
    expect(formatTable(['N'], [['a\u001b[31m\nb\u202e']])).toBe(
      'N                          \na\\u001b[31m\\u000ab\\u202e   \n\n'.replace(
        'N                          ',
        'N'.padEnd(27),
      ),
    );
  });
});

describe('JSON output', () => {
  test('escapes < > & and the line separators, and ends with a newline', () => {
    expect(formatJson({ a: "x && y < '\u2028'" })).toBe(
      '{\n  "a": "x \\u0026\\u0026 y \\u003c \'\\u2028\'"\n}\n',
    );
  });
});

describe('numbers in tables', () => {
  test.each([
    [100, '100'],
    [100_000, '100000'],
    [0.5, '0.5'],
    [9999.9999, '9999.9999'],
    [1e6, '1e+06'],
    [6_543_215.5, '6.5432155e+06'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [-1e100, '-1e+100'],
    [0, '0'],
  ])('%d is %s', (value, text) => expect(tableNumber(value)).toBe(text));
});

describe('the order of keys', () => {
  test.each([
    [
      ['kind', 'apiVersion', 'spec', 'metadata'],
      ['apiVersion', 'kind', 'metadata', 'spec'],
    ],
    [
      ['ipNetworks', 'ipNATs'],
      ['ipNATs', 'ipNetworks'],
    ],
    [
      ['a10', 'a2'],
      ['a2', 'a10'],
    ],
    [
      ['12', '100'],
      ['100', '12'],
    ],
    [
      ['a12', 'a100'],
      ['a100', 'a12'],
    ],
    [
      ['a1', 'a_b'],
      ['a_b', 'a1'],
    ],
    [
      ['x01', 'x1'],
      ['x1', 'x01'],
    ],
    [
      ['ab', 'a'],
      ['a', 'ab'],
    ],
    [
      ['a', '-'],
      ['-', 'a'],
    ],
  ])('%j becomes %j', (keys, sorted) => expect(keys.toSorted(compareKeys)).toEqual(sorted));
});

describe('YAML output', () => {
  test('prints lists under their key without indent, empty collections and texts in brackets and quotes', () => {
    const value = [{ kind: 'x', b: { l: ['1.2.3.4', { c: 1, a: [] }], e: {}, t: '' }, n: 1_000_000 }];
    expect(formatYaml(value)).toBe(
      '- b:\n    e: {}\n    l:\n    - 1.2.3.4\n    - a: []\n      c: 1\n    t: ""\n  kind: x\n  "n": 1000000\n'.replace(
        '"n"',
        '"n"',
      ),
    );
    expect(formatYaml([])).toBe('[]\n');
  });

  test.each([
    ['123', '"123"'],
    ['true', '"true"'],
    ['no', '"no"'],
    ['1e3', '"1e3"'],
    ['0x1', '"0x1"'],
    ['10:20', '"10:20"'],
    ['1:59', '"1:59"'],
    ['1:60', '1:60'],
    ['100:200', '100:200'],
    ['0:bb::aa', '0:bb::aa'],
    ['::1', '::1'],
    ['::/0', '::/0'],
    ['::', "'::'"],
    ['aa::', "'aa::'"],
    ['1.2.3.4', '1.2.3.4'],
    ["type=='x'", "type=='x'"],
    ['!has(a)', "'!has(a)'"],
    [' ', "' '"],
    ["'a' #b", "'''a'' #b'"],
    ['a\tb', '"a\\tb"'],
    ['a\nb', '"a\\nb"'],
    ['\u{1f600}', '"\\U0001F600"'],
    ['é', 'é'],
    ['- a', "'- a'"],
    ['-a', '-a'],
    ['010', '"010"'],
    ['1_000', '"1_000"'],
    ['.5', '".5"'],
    ['1.2.3', '1.2.3'],
  ])('writes the text %j as %s', (text, expected) => expect(formatYaml([text])).toBe(`- ${expected}\n`));

  test.each([
    [6_543_215.321, '6.543215321e+06'],
    [1e20, '1e+20'],
    [2 ** 53, '9007199254740992'],
    [-5, '-5'],
  ])('writes the number %d as %s', (value, expected) => expect(formatYaml([value])).toBe(`- ${expected}\n`));

  test('folds a long text at a space and puts a long key behind a question mark', () => {
    const selector = Array.from({ length: 12 }, (_, i) => `label${String(i)} == 'value'`).join(' && ');
    const text = formatYaml({ spec: { selector } });
    expect(text.split('\n').every(line => line.length < 100)).toBe(true);
    expect(text.split('\n').length).toBeGreaterThan(3);
    expect(load(text)).toEqual({ spec: { selector } });
    expect(formatYaml({ ['k'.repeat(129)]: 'v' })).toBe(`? ${'k'.repeat(129)}\n: v\n`);
  });

  test('reads back as what was written', () => {
    const leaf = oneof(
      string({ unit: 'binary' }),
      string(),
      boolean(),
      integer(),
      double({ noNaN: true, noDefaultInfinity: true }),
    );
    const tree = letrec(tie => ({
      node: oneof(
        { depthSize: 'small' },
        leaf,
        array(tie('node'), { maxLength: 4 }),
        dictionary(string(), tie('node'), { maxKeys: 4 }),
      ),
    })).node;
    assert(
      property(tree, value => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(load(formatYaml(plain))).toEqual(plain);
      }),
      { numRuns: 150 },
    );
  });
});
