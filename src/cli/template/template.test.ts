import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../resources/index.js';
import type { Kind } from '../../resources/index.js';
import { executeTemplate, listValue, parseTemplate, TemplateError } from './index.js';
import type { Value } from './values.js';

const settings = { config: (name: string) => (name === 'asnumber' ? '64512' : undefined) };

function lists(kind: Kind, ...documents: readonly unknown[]): Value {
  const resources = documents.flatMap(document => {
    const parsed = parseDocument(document);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.resources;
  });
  return [listValue(kind, resources)];
}

const endpoints = lists(
  'hostEndpoint',
  {
    apiVersion: 'v1',
    kind: 'hostEndpoint',
    metadata: { name: 'endpoint1', node: 'host1', labels: { type: 'database' } },
    spec: { expectedIPs: ['1.2.3.4', '00:bb::aa'], profiles: ['prof1', 'prof2'] },
  },
  {
    apiVersion: 'v1',
    kind: 'hostEndpoint',
    metadata: { name: 'eth0', node: 'myhost' },
    spec: { interfaceName: 'eth0' },
  },
);

const policies = lists('policy', {
  apiVersion: 'v1',
  kind: 'policy',
  metadata: { name: 'p' },
  spec: {
    order: 1_000_000,
    selector: "a == 'b'",
    ingress: [
      {
        action: 'allow',
        protocol: 'tcp',
        source: { net: '10.0.0.0/8' },
        destination: { ports: [80, '100:200'] },
      },
      { action: 'deny' },
    ],
  },
});

function render(source: string, data: Value = endpoints): string {
  return executeTemplate(parseTemplate(source), data, settings);
}

/** The template around each item. */
const each = (body: string): string => `{{range .}}{{range .Items}}${body}{{end}}{{end}}`;

describe('a template over resources', () => {
  test.each([
    ['{{range .}}{{range .Items}}{{.Metadata.Name}},{{end}}{{end}}', 'endpoint1,eth0,'],
    [each('{{.Kind}}/{{.APIVersion}} '), 'hostEndpoint/v1 hostEndpoint/v1 '],
    ['{{range .}}{{.Kind}} {{len .Items}}{{end}}', 'hostEndpointList 2'],
    [each('{{join .Spec.ExpectedIPs ","}};'), '1.2.3.4,0:bb::aa;;'],
    [each('{{.Metadata.Labels.type}} '), 'database <no value> '],
    [each('{{.Spec.Profiles}}'), '[prof1 prof2][]'],
    [each('{{.Metadata.Labels}}'), 'map[type:database]map[]'],
    [each('{{with .Spec.InterfaceName}}<{{.}}>{{else}}none {{end}}'), 'none <eth0>'],
    ['{{config "asnumber"}}', '64512'],
    ['{{(index (index . 0).Items 1).Metadata.Name}}', 'eth0'],
    ['{{len (index . 0).Items | printf "%03d"}}', '002'],
    [
      '{{range $i, $list := .}}{{$i}}{{range $j, $x := .Items}}{{$j}}{{$x.Kind | len}}{{end}}{{end}}',
      '0012112',
    ],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  test.each([
    ['{{.Spec.Order}}', '1e+06'],
    [
      '{{range .Spec.IngressRules}}{{.Action}} {{.Protocol}} {{.Source.Net}} {{.Destination.Ports}};{{end}}',
      'allow tcp 10.0.0.0/8 [80 100:200];deny <nil> <nil> [];',
    ],
    ['{{if gt .Spec.Order 5.5}}late{{end}}', 'late'],
    ['{{if eq .Spec.Order 1000000}}a million{{end}}', 'a million'],
    ['{{range .Spec.EgressRules}}x{{else}}none{{end}}', 'none'],
    ['{{(index .Spec.IngressRules 1).ICMP}}', '<nil>'],
  ])('reads rules: %s', (source, expected) => {
    expect(render(each(source), policies)).toBe(expected);
  });
});

describe('the language', () => {
  test.each([
    ['{{/* a comment */}}a{{- /* b */ -}} b', 'ab'],
    ['a  {{- "x" -}}  b', 'axb'],
    ['{{-3}} {{- 3 -}} ', '-33'],
    ['{{"a\\tb\\u00e9\\x41"}}{{`r\\n`}}{{\'c\'}}', 'a\tbéAr\\n99'],
    ['{{1}} {{1.5}} {{0x1f}} {{1e3}} {{017}}', '1 1.5 31 1000 15'],
    ['{{true}} {{not true}} {{and 1 0}} {{or 0 "x"}} {{and 1 2}}', 'true false 0 x 2'],
    ['{{if 0}}a{{else if ""}}b{{else if 1}}c{{else}}d{{end}}', 'c'],
    ['{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}', '32'],
    ['{{define "T"}}<{{.}}>{{end}}{{template "T" 5}}{{template "T" "a"}}', '<5><a>'],
    ['{{block "B" 7}}({{.}}){{end}}', '(7)'],
    ['{{print 1 2 "a" "b" 3 4}}|{{println 1 "a"}}', '1 2ab3 4|1 a\n'],
    ['{{html "<a b=\'c\'>&"}}', '&lt;a b=&#39;c&#39;&gt;&amp;'],
    ['{{js "it\'s <b>"}}', "it\\'s \\u003Cb\\u003E"],
    ['{{urlquery "a b&c/ü*"}}', 'a+b%26c%2F%C3%BC%2A'],
    ['{{printf "%s|%5s|%-5s|%q|%x|%v" "a" "b" "c" "d\\n" "e" "f"}}', 'a|    b|c    |"d\\n"|65|f'],
    [
      '{{printf "%d %5d %-5d| %05d %x %X %o %b %c %U %+d" 1 2 3 4 255 255 8 5 65 66 7}}',
      '1     2 3    | 00004 ff FF 10 101 A U+0042 +7',
    ],
    [
      '{{printf "%.2f|%8.3f|%e|%v|%t|%T" 1.0 2.5 1500.0 1.5 true 1}}',
      '1.00|   2.500|1.500000e+03|1.5|true|int',
    ],
    ['{{printf "%d %s %d" "x" 1}}', '%!d(string=x) %!s(int=1) %!d(MISSING)'],
    ['{{printf "%%" 1}}', '%%!(EXTRA int=1)'],
    [
      '{{eq 1 2 3 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1 2}}',
      'true true true true true false',
    ],
    ['no action }} at all', 'no action }} at all'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  test.each([
    ['{{', 'template: get:1: unclosed action'],
    ['\n{{.A', 'template: get:2: unclosed action'],
    ['{{}}', 'missing value for command'],
    ['{{if}}x{{end}}', 'missing value for command'],
    ['{{if 1}}', 'unexpected EOF'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{else}}', 'unexpected {{else}}'],
    ['{{if 1}}{{else}}{{else}}{{end}}', 'expected end; found {{else}}'],
    ['{{"abc}}', 'unterminated quoted string'],
    ['{{foo 1}}', 'function "foo" not defined'],
    ['{{$x}}', 'undefined variable "$x"'],
    ['{{(1}}', 'unclosed left paren'],
    ['{{1 2}}', "can't give argument to non-function"],
    ['{{1 | 2}}', 'non executable command in pipeline'],
    ['{{.Foo}}', "can't evaluate field Foo in type list"],
    ['{{range .}}{{.Foo}}{{end}}', "can't evaluate field Foo in type hostEndpointList"],
    ['{{template "x"}}', 'template "x" not defined'],
    ['{{nil}}', 'nil is not a command'],
    ['{{index . 5}}', 'error calling index: index out of range: 5'],
    ['{{len 3}}', 'error calling len: len of type int'],
    ['{{eq 1 "a"}}', 'incompatible types for comparison'],
    ['{{range 3}}{{end}}', "range can't iterate over 3"],
    ['{{config "x"}}', 'unhandled config type: x'],
    ['{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', 'exceeded maximum template depth'],
    [
      '{{define "a"}}{{template "b"}}{{template "b"}}{{end}}'.replaceAll('b', 'a') + '{{template "a"}}',
      'exceeded maximum',
    ],
  ])('refuses %j', (source, message) => {
    expect(() => render(source)).toThrow(message);
    expect(() => render(source)).toThrow(TemplateError);
  });

  test(
    'ends soon when a template would double its texts or its calls without end',
    { timeout: 20_000 },
    () => {
      const levels = Array.from(
        { length: 200 },
        (_, i) =>
          `{{define "t${String(i)}"}}{{template "t${String(i + 1)}"}}{{template "t${String(i + 1)}"}}{{end}}`,
      );
      const calls = `${levels.join('')}{{define "t200"}}x{{end}}{{template "t0"}}`;
      expect(() => render(calls)).toThrow(TemplateError);
      const doubling = `{{$x := "0123456789"}}${'{{$x = printf "%s%s" $x $x}}'.repeat(100)}`;
      expect(() => render(doubling)).toThrow('a text is too long');
      expect(render('{{printf "%999999999d" 1}}').length).toBe(10_000);
      expect(() => parseTemplate('{{if 1}}'.repeat(100_000))).toThrow('nested too deeply');
      expect(() => parseTemplate(`{{${'('.repeat(100_000)}}}`)).toThrow('nested too deeply');
      expect(() => parseTemplate(`{{if 0}}${'{{else if 0}}'.repeat(100_000)}{{end}}`)).toThrow(
        'nested too deeply',
      );
    },
  );
});

const words = [
  '{{',
  '}}',
  '{{-',
  '-}}',
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  '.',
  '$',
  '$x',
  ':=',
  '=',
  '|',
  '(',
  ')',
  ',',
  '"a"',
  '`',
  "'",
  '1',
  '-',
  '1.5',
  '.Items',
  '.Kind',
  '.Spec',
  '.Metadata',
  'print',
  'printf',
  'len',
  'index',
  'eq',
  'lt',
  'and',
  'or',
  'not',
  'join',
  'config',
  'html',
  'js',
  'urlquery',
  'call',
  'nil',
  'true',
  '/*',
  '*/',
  ' ',
  '\n',
  '\\',
  '%d',
  '"%v %s %05.3f"',
];

describe('any text as a template', () => {
  /** Whether a template ends with a text or with a TemplateError; anything else is thrown. */
  const ends = (source: string): boolean => {
    try {
      return typeof render(source) === 'string';
    } catch (error) {
      if (error instanceof TemplateError) return true;
      throw error;
    }
  };
  const allEnd = (sources: fc.Arbitrary<string>, numRuns: number): boolean => {
    fc.assert(fc.property(sources, ends), { numRuns });
    return true;
  };

  test('made of its words gives a text or a TemplateError', () => {
    const source = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map(parts => parts.join(' '));
    expect(allEnd(source, 3_000)).toBe(true);
  });

  test('with actions of its words gives a text or a TemplateError', () => {
    const action = fc
      .array(fc.constantFrom(...words.slice(4)), { maxLength: 6 })
      .map(parts => `{{${parts.join(' ')}}}`);
    const source = fc.array(action, { maxLength: 8 }).map(parts => parts.join(''));
    expect(allEnd(source, 3_000)).toBe(true);
  });

  test('of any characters gives a text or a TemplateError', () => {
    const source = fc.string({ unit: 'binary', maxLength: 60 }).map(text => `{{${text}}}`);
    expect(allEnd(source, 2_000)).toBe(true);
  });

  test('without an action is printed as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const plain = text.replaceAll('{', '(');
        expect(render(plain)).toBe(plain);
      }),
    );
  });
});
