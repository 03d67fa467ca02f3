import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseArguments, parseGrammar, usageSection } from './index.js';

const help = `Some words first.

Usage:
  calicoctl take ([--scope=<SCOPE>] [--node=<NODE>] (<KIND> [<NAME>]) |
                  --filename=<FILE>)
                 [--skip-not-exists] [--raw=(bgp|felix)] [--output=<OUTPUT>]

Options:
  -h --help                    Show this screen.
  -s --skip-not-exists         Skip.
  -f --filename=<FILE>         Filename, with - for
                               standard input.
  -o --output=<OUTPUT FORMAT>  Output format.   [Default: ps]
  -n --node=<NODE>             The node.
     --scope=<SCOPE>           The scope.

Description:
  Words.
`;
const grammar = parseGrammar(help, ['take']);

function parse(...args: readonly string[]): unknown {
  const parsed = parseArguments(grammar, args);
  return parsed.kind === 'values'
    ? Object.fromEntries(parsed.values)
    : parsed.kind === 'help'
      ? 'help'
      : (parsed.complaint ?? 'usage');
}

describe('arguments', () => {
  test('take long options with = or a space, and short ones joined or apart', () => {
    const expected = { '--filename': ['x'], '--output': ['ps', true] };
    for (const args of [
      ['--filename=x'],
      ['--filename', 'x'],
      ['-f', 'x'],
      ['-fx'],
      ['--file=x'],
      ['--f', 'x'],
    ]) {
      expect(parse(...args)).toEqual(expected);
    }
  });

  test('keep = behind a short option as part of the value', () => {
    expect(parse('-f=x')).toMatchObject({ '--filename': ['=x'] });
  });

  test('may mix options and positionals', () => {
    const expected = { '<KIND>': ['pol'], '<NAME>': ['a'], '--node': ['n'], '--output': ['wide'] };
    expect(parse('-n', 'n', 'pol', '-o', 'wide', 'a')).toEqual(expected);
    expect(parse('pol', 'a', '-owide', '--no=n')).toEqual(expected);
  });

  test('take - as a value, and nothing as a value that is blank', () => {
    expect(parse('-f', '-')).toMatchObject({ '--filename': ['-'] });
    expect(parse('pol', '--node=')).toMatchObject({ '--node': [''] });
  });

  test('behind -- are never options', () => {
    expect(parse('--', 'pol', '-x')).toMatchObject({ '<KIND>': ['pol'], '<NAME>': ['-x'] });
  });

  test.each([
    ['an option twice', ['pol', '-na', '--node=b']],
    ['an unknown option', ['pol', '--nothing']],
    ['an unknown short option', ['pol', '-z']],
    ['no positional', []],
    ['a positional too many', ['pol', 'a', 'b']],
    ['both alternatives', ['pol', '-f', 'x']],
    ['an option of the other alternative', ['-f', 'x', '--scope=node']],
  ])('with %s are a usage error without complaint', (_, args) => {
    expect(parse(...args)).toBe('usage');
  });

  test.each([
    [['pol', '-o'], '-o requires argument'],
    [['pol', '--output'], '--output requires argument'],
    [['pol', '--out'], '--out requires argument'],
    [['pol', '-o', '--'], '-o requires argument'],
    [['pol', '--s'], '--s is not a unique prefix: --skip-not-exists, --scope?'],
    [['pol', '--skip=1'], '--skip-not-exists must not have an argument'],
  ])('%j complain: %s', (args, complaint) => {
    expect(parse(...args)).toBe(complaint);
  });

  test('with -h or --help anywhere ask for help, whatever else they lack', () => {
    for (const args of [['-h'], ['--help'], ['--he'], ['a', 'b', 'c', '-h'], ['-sh']])
      expect(parse(...args)).toBe('help');
    expect(parse('pol', '-o', '-h')).toMatchObject({ '--output': ['-h'] });
  });

  test('end in an answer whatever they are', () => {
    const word = oneof(
      string(),
      constantFrom('-', '--', '-f', '--filename', '-o=', '--s', 'pol', '-h', '--node='),
    );
    assert(
      property(array(word, { maxLength: 8 }), args => {
        expect(['values', 'help', 'usage-error']).toContain(parseArguments(grammar, args).kind);
      }),
    );
  });

  test('mean the same however they are spelled and wherever the options stand', () => {
    const value = string({ unit: 'binary', minLength: 1 });
    const positional = value.map(text => (text.startsWith('-') ? `x${text}` : text));
    assert(
      property(
        positional,
        positional,
        value,
        value,
        array(constantFrom(0, 1, 2), { minLength: 2, maxLength: 2 }),
        (kind, name, node, output, places) => {
          const spellings = [
            [
              ['--node', node],
              ['--output', output],
            ],
            [[`--node=${node}`], [`--output=${output}`]],
            [['-n', node], [`--out=${output}`]],
            [[`-n${node}`], [`-o${output}`]],
          ];
          for (const options of spellings) {
            const args = [kind, name];
            const words: string[] = [];
            for (let at = 0; at <= args.length; at++) {
              options.forEach((option, index) => {
                if (places[index] === at) words.push(...option);
              });
              words.push(...args.slice(at, at + 1));
            }
            const separate = node === '--' || output === '--';
            if (separate && words.includes('--')) continue;
            expect(parse(...words)).toEqual({
              '<KIND>': [kind],
              '<NAME>': [name],
              '--node': [node],
              '--output': [output],
            });
          }
        },
      ),
    );
  });

  test('of a group end at its command word', () => {
    const group = parseGrammar(
      'Usage:\n  calicoctl g <command> [<args>...]\n\nOptions:\n  -h --help  Show.\n',
      ['g'],
    );
    const parsed = parseArguments(group, ['show', '--ip', 'x', '-h'], { optionsFirst: true });
    expect(parsed).toEqual({
      kind: 'values',
      values: new Map([
        ['<command>', ['show']],
        ['<args>', ['--ip', 'x', '-h']],
      ]),
    });
  });

  test('choose among several usage lines by their words', () => {
    const config = parseGrammar('Usage:\n  calicoctl c set <N> <V> [--a]\n  calicoctl c get <N>\n', ['c']);
    expect(parseArguments(config, ['get', 'x'])).toEqual({
      kind: 'values',
      values: new Map([
        ['get', [true]],
        ['<N>', ['x']],
      ]),
    });
    expect(parseArguments(config, ['set', 'x']).kind).toBe('usage-error');
    expect(parseArguments(config, ['get', 'x', '--a']).kind).toBe('usage-error');
  });
});

describe('a usage section', () => {
  test('is the text from Usage: to the next empty line', () => {
    expect(usageSection(help).split('\n')).toHaveLength(4);
    expect(usageSection(help).startsWith('Usage:\n  calicoctl take (')).toBe(true);
  });
});
