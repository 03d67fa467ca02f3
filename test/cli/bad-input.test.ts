import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import { builtCalicoctl } from './program.js';
import type { Calicoctl } from './program.js';

let calicoctl: Calicoctl;

beforeAll(async () => {
  calicoctl = await builtCalicoctl();
});
afterAll(() => calicoctl.remove());

/** A policy with that, in flow style, behind its name. */
const policy = (more = ''): string => `apiVersion: v1\nkind: policy\nmetadata: {name: a}\n${more}\n`;

/** Nine of nine of nine: small as a text, a billion values when it is walked. */
function bomb(): string {
  const lines = Array.from({ length: 12 }, (_, i) => {
    const inner = i === 0 ? 'x' : `*a${String(i - 1)}`;
    return `a${String(i)}: &a${String(i)} [${Array(9).fill(inner).join(', ')}]`;
  });
  return `${lines.join('\n')}\n`;
}

/** What is in the file; what is said of it behind `Failed to execute command: `, where FILE is its name. */
type Case = readonly [name: string, content: string | Uint8Array, message: string];

const kindExpected =
  'kind: expected bgpPeer, hostEndpoint, ipPool, node, policy, profile, workloadEndpoint, or one of these and List';
const portExpected = `expected a port from 1 to 65535, a range "min:max", or the name of an endpoint's port`;
const yaml = (line: number, reason: string, source = ''): string =>
  `error parsing document: yaml: line ${String(line)}: ${reason} (FILE, document 1${source})`;

const cases: readonly Case[] = [
  [
    'a bracket that is not closed',
    'kind: [policy',
    yaml(1, 'unexpected end of the stream within a flow collection', ': kind: [policy'),
  ],
  [
    'a TAB as indentation',
    'metadata:\n\tname: a\n',
    yaml(2, 'a TAB at the start of the line; indent with spaces', ': name: a'),
  ],
  ['an unknown anchor', 'a: *b', yaml(1, 'unidentified alias "b"', ': a: *b')],
  [
    'a selector that YAML takes for a tag',
    'selector: !has(a)',
    yaml(1, 'a text that starts with ! needs quotes around it', ': selector: !has(a)'),
  ],
  [
    'a tag of another language',
    'a: !!js/function x',
    yaml(1, 'unknown scalar tag !<tag:yaml.org,2002:js/function>', ': a: !!js/function x'),
  ],
  ['a NUL byte', 'kind: policy\nname: a\0b', yaml(2, 'null byte is not allowed in input')],
  ['nothing but NUL bytes', new Uint8Array(1000), yaml(1, 'null byte is not allowed in input')],
  [
    'exploding aliases',
    bomb(),
    'error parsing document: yaml: document contains excessive aliasing (FILE, document 1)',
  ],
  [
    'lists nested very deep',
    '['.repeat(200_000),
    yaml(1, 'nesting exceeded maxDepth (100)', `: ${'['.repeat(80)}`),
  ],
  [
    'JSON nested very deep',
    `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`,
    yaml(1, 'nesting exceeded maxDepth (100)', `: ${'{"a":'.repeat(16)}`),
  ],
  [
    'bytes that are not UTF-8',
    Buffer.from(`${policy()}# \xe9`, 'latin1'),
    'error parsing document: yaml: line 5: not valid UTF-8 (FILE)',
  ],
  [
    'UTF-16',
    Buffer.from(`\ufeff${policy()}`, 'utf16le'),
    'error parsing document: yaml: line 1: not valid UTF-8 (FILE)',
  ],
  ['nothing', '', `Unknown resource type () and/or version () (FILE, document 1: ${kindExpected})`],
  [
    'a line of dashes',
    '---',
    `Unknown resource type () and/or version () (FILE, document 1: ${kindExpected})`,
  ],
  [
    'empty documents',
    '---\n---\n# no\n',
    `Unknown resource type () and/or version () (FILE, document 1: ${kindExpected})`,
  ],
  [
    'an unknown kind',
    'apiVersion: v1\nkind: polcy\n',
    `Unknown resource type (polcy) and/or version (v1) (FILE, document 1: ${kindExpected}; did you mean policy?)`,
  ],
  [
    'an unknown version',
    `${policy()}---\napiVersion: v2\nkind: policy\n`,
    'Unknown resource type (policy) and/or version (v2) (FILE, document 2: apiVersion: expected v1)',
  ],
  [
    'an unknown field',
    policy('spec: {ingres: []}'),
    'error parsing document: field in document is not recognized or is in the wrong location: ingres (FILE, document 1: spec.ingres: expected one of order, ingress, egress, selector, types, doNotTrack, preDNAT, applyOnForward; did you mean spec.ingress?)',
  ],
  [
    'a field in the wrong place',
    policy('selector: all()'),
    'error parsing document: field in document is not recognized or is in the wrong location: selector (FILE, document 1: selector: expected one of kind, apiVersion, metadata, spec; did you mean spec.selector?)',
  ],
  [
    'a wrong type',
    policy('spec: {order: high}'),
    "error parsing document: cannot parse string 'high' into field PolicySpec.order of type float64 (FILE, document 1: spec.order: expected a number)",
  ],
  [
    'a port out of range',
    policy('spec: {ingress: [{action: allow, protocol: tcp, source: {ports: [65536]}}]}'),
    `error parsing document: json: cannot unmarshal number 65536 into Go value of type uint16 (FILE, document 1: spec.ingress[0].source.ports[0]: ${portExpected})`,
  ],
  [
    'a huge number',
    policy('spec: {ingress: [{action: allow, protocol: tcp, source: {ports: [99999999999999999999]}}]}'),
    `error parsing document: json: cannot unmarshal number 100000000000000000000 into Go value of type uint16 (FILE, document 1: spec.ingress[0].source.ports[0]: ${portExpected})`,
  ],
  [
    'a number beyond all',
    policy('spec: {order: 1e999}'),
    'error parsing document: json: unsupported value: +Inf (FILE, document 1: spec.order: expected a number)',
  ],
  [
    'a bad selector',
    policy(`spec: {selector: "role = 'db'"}`),
    "error with field selector = 'role = 'db'' (FILE, document 1: spec.selector: expected a label selector such as role == 'db' && has(zone); expected == at character 6)",
  ],
  [
    'an address that is none',
    'apiVersion: v1\nkind: bgpPeer\nmetadata: {scope: global, peerIP: 10.0.0.256}\n',
    'error parsing document: invalid IP address: 10.0.0.256 (FILE, document 1: metadata.peerIP: expected an IP address)',
  ],
  [
    'a name twice',
    `${policy()}---\n${policy('spec: {order: 1}')}`,
    'Policy(name=a) is given more than once (FILE, document 2: expected each resource once; it is in FILE, document 1 too)',
  ],
  [
    'a name twice in a list',
    JSON.stringify(
      Array.from({ length: 2 }, () => ({ apiVersion: 'v1', kind: 'policy', metadata: { name: 'a' } })),
    ),
    'Policy(name=a) is given more than once (FILE, document 1, resource 2: expected each resource once; it is in FILE, document 1, resource 1 too)',
  ],
  [
    'control characters',
    policy('spec: {selector: "\\e]0;owned\\a\\u202e"}'),
    "error with field selector = '\\u001b]0;owned\\u0007\\u202e' (FILE, document 1: spec.selector: expected a label selector such as role == 'db' && has(zone); unexpected characters at character 1)",
  ],
];

/** An `apply` of the file: what is printed, and that nothing was written. */
async function refused(file: string): Promise<string> {
  const state = join(calicoctl.directory, 'untouched');
  const { code, out, err } = await calicoctl.run(['apply', '-f', file], { env: { CALICO_STATE_DIR: state } });
  expect([code, err]).toEqual([1, '']);
  expect(existsSync(state)).toBe(false);
  return out;
}

describe('a file with', () => {
  test.each(cases)('%s is refused in one line, and nothing is written', async (_, content, message) => {
    const file = join(calicoctl.directory, 'bad.yaml');
    writeFileSync(file, content);
    expect(await refused(file)).toBe(`Failed to execute command: ${message.replaceAll('FILE', file)}\n`);
  });

  test('more than 16 MiB, or without an end, is refused before it fills the memory', async () => {
    const file = join(calicoctl.directory, 'large.yaml');
    writeFileSync(file, Buffer.alloc(100_000_000, '- a\n'));
    for (const path of [file, '/dev/zero'])
      expect(await refused(path)).toBe(`Failed to execute command: read ${path}: larger than 16 MiB\n`);
  });

  test('more values than resources ever have is refused as YAML and as JSON', async () => {
    const file = join(calicoctl.directory, 'many.yaml');
    const said = `Failed to execute command: error parsing document: yaml: document is too large; divide it into documents with --- between them (${file}, document 1)\n`;
    for (const text of ['- a\n'.repeat(2_000_000), `[${'1,'.repeat(3_000_000)}1]`]) {
      writeFileSync(file, text);
      expect(await refused(file)).toBe(said);
    }
  });

  test('very many mistakes has a hundred of them told, in lines that end', async () => {
    const file = join(calicoctl.directory, 'wrong.json');
    const member = { apiVersion: 'v1', kind: 'policy', metadata: { nam: 'a' } };
    writeFileSync(file, JSON.stringify(Array.from({ length: 100_000 }, () => member)));
    const lines = (await refused(file)).split('\n');
    expect(lines).toHaveLength(104);
    expect(lines.at(-3)).toBe('-  (+ 900 more)');
  });
});

describe('a path that is', () => {
  const told = (message: string): string => `Failed to execute command: ${message}\n`;

  test('a directory without manifests, or with other things of that name, is refused', async () => {
    const directory = join(calicoctl.directory, 'things');
    mkdirSync(join(directory, 'below.yaml'), { recursive: true });
    writeFileSync(join(directory, 'notes.txt'), policy());
    await runProgram('mkfifo', [join(directory, 'pipe.yaml')]);
    expect(await refused(directory)).toBe(
      told(
        `read ${directory}: no .yaml, .yml or .json file in it (-R looks in the directories below it too)`,
      ),
    );
  });

  test('missing, a link to nowhere or to itself is told in one line', async () => {
    const [nowhere, broken, loop] = ['nowhere', 'broken', 'loop'].map(name =>
      join(calicoctl.directory, name),
    );
    symlinkSync(nowhere ?? '', broken ?? '');
    symlinkSync(loop ?? '', loop ?? '');
    expect(await refused(nowhere ?? '')).toBe(told(`open ${nowhere ?? ''}: no such file or directory`));
    expect(await refused(broken ?? '')).toBe(told(`open ${broken ?? ''}: no such file or directory`));
    expect(await refused(loop ?? '')).toBe(told(`open ${loop ?? ''}: too many levels of symbolic links`));
    expect(await refused('')).toBe(told('open : no such file or directory'));
  });

  test('not readable for the user is told in one line', async () => {
    const file = join(calicoctl.directory, 'secret.yaml');
    writeFileSync(file, policy(), { mode: 0o000 });
    // root without its capabilities: what it may not read, it cannot.
    const program = [process.execPath, calicoctl.program, 'validate', '-f', file];
    const { exitCode, stdout } = await runProgram('setpriv', [
      '--bounding-set=-all',
      '--inh-caps=-all',
      ...program,
    ]);
    expect([exitCode, stdout]).toEqual([1, `Failed to execute command: open ${file}: permission denied\n`]);
  });
});

describe('a file that looks odd and is right', () => {
  test.each([
    ['a byte order mark', `\ufeff${policy()}`],
    [
      'a byte order mark before JSON',
      '\ufeff{"apiVersion": "v1", "kind": "policy", "metadata": {"name": "a"}}',
    ],
    ['lines that end with CR LF', policy('spec:\n  selector: all()').replaceAll('\n', '\r\n')],
    ['a key given twice, of which the last counts', `kind: profile\n${policy()}`],
    ['empty documents around it', `---\n---\n${policy()}---\n...\n`],
    ['a directive', `%YAML 1.1\n---\n${policy()}`],
  ])('with %s, is taken', async (_, content) => {
    const { code, out } = await calicoctl.run(['validate', '-f', '-'], { input: content });
    expect([code, out]).toEqual([0, 'Successfully validated 1 resource(s)\n']);
  });
});

describe('a resource without all of its identifiers', () => {
  const peer = 'apiVersion: v1\nkind: bgpPeer\nmetadata: {scope: node, peerIP: 10.0.0.1}\n';

  test.each(['create', 'apply', 'replace', 'delete'])(
    'is named by %s, and nothing is written',
    async verb => {
      const input = `${policy()}---\n${peer}`;
      const { code, out } = await calicoctl.run([verb, '-f', '-'], { input });
      expect([code, out]).toEqual([
        1,
        `Failed to ${verb} any resources: insufficient identifiers, missing 'node' (standard input, document 2)\n`,
      ]);
      expect((await calicoctl.run(['get', 'policy', '-o', 'name'])).out).toBe('');
    },
  );

  test('is found by validate, and one that gets a name when it is created is not', async () => {
    const endpoint =
      'apiVersion: v1\nkind: workloadEndpoint\nmetadata: {node: n, orchestrator: o, workload: w}\nspec: {interfaceName: cali1}\n';
    const said = await calicoctl.run(['validate', '-f', '-'], {
      input: `${endpoint}---\n${peer}---\n${endpoint}`,
    });
    expect([said.code, said.out]).toEqual([
      1,
      "Failed to execute command: insufficient identifiers, missing 'node' (standard input, document 2)\n",
    ]);
  });
});
