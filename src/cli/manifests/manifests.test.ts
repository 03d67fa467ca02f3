import { array, assert, asyncProperty, constantFrom, oneof, string, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseManifests, readManifests } from './read-manifests.js';
import type { Manifests } from './read-manifests.js';

const policy = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: policy\nmetadata: {name: ${name}}\n${more}`;

async function read(text: string): Promise<Manifests> {
  return await parseManifests(text, 'f.yaml');
}

async function messageOf(text: string): Promise<string> {
  const manifests = await read(text);
  return manifests.ok ? 'no problem' : manifests.message;
}

async function namesIn(text: string): Promise<readonly string[]> {
  const manifests = await read(text);
  if (!manifests.ok) return [manifests.message];
  return manifests.resources.map(({ metadata }) => ('name' in metadata ? metadata.name : ''));
}

describe('a manifest', () => {
  test('may hold one resource, a list, a list kind or several documents, in their order', async () => {
    const list = `[${['a', 'b'].map(name => `{apiVersion: v1, kind: policy, metadata: {name: ${name}}}`).join(',')}]`;
    expect(await namesIn(policy('a'))).toEqual(['a']);
    expect(await namesIn(list)).toEqual(['a', 'b']);
    expect(await namesIn(`apiVersion: v1\nkind: policyList\nitems: ${list}`)).toEqual(['a', 'b']);
    expect(
      await namesIn(`---\n${policy('a')}---\n\n--- # nothing\n${list}\n---\n${policy('c')}...\n`),
    ).toEqual(['a', 'a', 'b', 'c']);
  });

  test('may be JSON', async () => {
    const value = { apiVersion: 'v1', kind: 'policy', metadata: { name: 'a' }, spec: { order: 1.5 } };
    expect(await namesIn(JSON.stringify(value))).toEqual(['a']);
    expect(await namesIn(JSON.stringify([value, value], undefined, 2))).toEqual(['a', 'a']);
  });

  test('may have directives, anchors, merge keys, comments, tags and CRLF', async () => {
    expect(await namesIn(`%YAML 1.1\n---\n${policy('a')}`)).toEqual(['a']);
    expect(await namesIn(policy('a').replaceAll('\n', '\r\n'))).toEqual(['a']);
    expect(await namesIn(`\ufeff# words\n${policy('a')}`)).toEqual(['a']);
    expect(await namesIn(policy('!!str 5'))).toEqual(['5']);
    const rule =
      'spec:\n  ingress:\n  - &r {action: allow, protocol: tcp}\n  - <<: *r\n    action: deny\n  - *r\n';
    const read1 = await read(policy('a', rule));
    expect(
      read1.ok &&
        read1.resources[0]?.kind === 'policy' &&
        read1.resources[0].spec.ingress?.map(({ action }) => action),
    ).toEqual(['allow', 'deny', 'allow']);
  });

  test.each(['123', '010', '1.10', '0x1F', 'yes', 'n', 'off', 'True', '1_000', '.5', '1e3', '-0', '1'])(
    'keeps the text %s of a plain scalar where a text is wanted',
    async text => {
      const yaml = `apiVersion: v1\nkind: hostEndpoint\nmetadata: {node: ${text.replace('-0', 'x-0')}, name: e, labels: {l: ${text.replace(/^[-.]/, 'x')}}}\nspec: {interfaceName: eth0}`;
      const manifests = await read(yaml);
      expect(manifests).toMatchObject({
        ok: true,
        resources: [
          { metadata: { node: text.replace('-0', 'x-0'), labels: { l: text.replace(/^[-.]/, 'x') } } },
        ],
      });
    },
  );

  test('reads plain scalars by YAML 1.1 where a number or boolean is wanted', async () => {
    const pool =
      'apiVersion: v1\nkind: ipPool\nmetadata: {cidr: 10.0.0.0/16}\nspec: {nat-outgoing: yes, disabled: Off}';
    expect(await read(pool)).toMatchObject({ ok: true, resources: [{ spec: { 'nat-outgoing': true } }] });
    const order = await read(policy('a', 'spec: {order: 0x10}'));
    expect(order).toMatchObject({ ok: true, resources: [{ spec: { order: 16 } }] });
    const ports = await read(
      policy('a', 'spec: {ingress: [{action: allow, protocol: tcp, source: {ports: [10:20, 80.0, 1e3]}}]}'),
    );
    expect(ports).toMatchObject({
      ok: true,
      resources: [{ spec: { ingress: [{ source: { ports: ['10:20', 80, 1000] } }] } }],
    });
  });

  test('takes the text of map keys, and the last of a key that is given twice', async () => {
    const labels =
      'apiVersion: v1\nkind: hostEndpoint\nmetadata: {node: n, name: e, labels: {yes: a, 010: b, x: c, x: d}}\nspec: {interfaceName: eth0}';
    expect(await read(labels)).toMatchObject({
      ok: true,
      resources: [{ metadata: { labels: { yes: 'a', '010': 'b', x: 'd' } } }],
    });
  });

  test('does not take __proto__ for the prototype', async () => {
    expect(await messageOf(`${policy('a')}__proto__: {spec: 1}\n`)).toContain('__proto__');
    expect(
      await messageOf('{"apiVersion":"v1","kind":"policy","metadata":{"name":"a"},"__proto__":{"x":1}}'),
    ).toContain('__proto__');
  });
});

describe('a manifest that is wrong', () => {
  test('is told with the original text, then file, document, path and expectation', async () => {
    const wrong = policy('b', 'spec:\n  ingress:\n  - action: permit\n');
    expect(await messageOf(`${policy('a')}---\n${wrong}`)).toBe(
      "error with field action = 'permit' (f.yaml, document 2: spec.ingress[0].action: expected allow, deny, log or pass)",
    );
  });

  test('with several mistakes has a line for each', async () => {
    const wrong = policy(
      'b',
      'spec:\n  ingress:\n  - action: permit\n  - action: allow\n    protocol: TCP\n',
    );
    expect(await messageOf(`---\n---\n${wrong}`)).toBe(
      [
        'error with the following fields:',
        "-  action = 'permit' (f.yaml, document 2: spec.ingress[0].action: expected allow, deny, log or pass)",
        "-  Protocol = 'TCP' (protocol name invalid) (f.yaml, document 2: spec.ingress[1].protocol: expected tcp, udp, icmp, icmpv6, sctp, udplite or a number from 1 to 255)",
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['', 'Unknown resource type () and/or version ()'],
    ['# only words\n', 'Unknown resource type () and/or version ()'],
    ['kind: bgppeer\napiVersion: v1', 'Unknown resource type (bgppeer) and/or version (v1)'],
    [
      'foo',
      "error parsing document: cannot parse string 'foo' into value of type []unversioned.TypeMetadata",
    ],
    [
      policy('a', 'spec: 3'),
      "error parsing document: cannot parse number '3' into field Policy.spec of type api.PolicySpec",
    ],
    [
      policy('a', 'zz: 1'),
      'error parsing document: field in document is not recognized or is in the wrong location: zz',
    ],
    [
      policy('[a]'),
      `error parsing document: cannot parse array '["a"]' into field PolicyMetadata.name of type string`,
    ],
  ])('%j starts with the words of the original', async (text, words) => {
    expect((await messageOf(text)).startsWith(`${words} (f.yaml, document 1`)).toBe(true);
  });

  test('names unknown fields together, in byte order, and says how many more there are', async () => {
    const some = await messageOf(
      'zz: 1\nmetadata: {name: a, q: 1, b: 1}\naa: 1\nkind: policy\napiVersion: v1\n',
    );
    expect(some.split('\n')[0]).toBe(
      'error parsing document: fields in document are not recognized or are in the wrong location: aa, b, q, zz',
    );
    const many = await messageOf(policy('a', [6, 5, 4, 3, 2, 1].map(n => `x${String(n)}: 1\n`).join('')));
    expect(many.split('\n')[0]).toBe(
      'error parsing document: fields in document are not recognized or are in the wrong location: x1, x2, x3, x4 (+ 2 more)',
    );
  });

  test('shows the class of mistakes first that the original looked for first', async () => {
    const mixed = await messageOf(
      `${policy('a', 'spec: {ingress: [{action: permit}], order: x}')}\n---\nkind: no\n`,
    );
    expect(mixed.split('\n')[0]).toBe('Unknown resource type (no) and/or version ()');
    expect(mixed.split('\n')).toHaveLength(5);
  });

  test('has at most a hundred lines, and says how many are left out', async () => {
    const lines = (await messageOf(Array.from({ length: 400 }, () => 'kind: no\n').join('---\n'))).split(
      '\n',
    );
    expect(lines).toHaveLength(103);
    expect(lines.at(-2)).toMatch(/^- {2}\(\+ \d+ more\)$/);
  });

  test.each([
    ['a: [1, 2\nb: 3\n', 2],
    ['a:\n\tb: 1\n', 2],
    ['\ta: 1\n', 1],
    ['a: b\0c', 1],
    [`${policy('a')}---\n${policy('b')}x: "`, 8],
    ['a: *nothing', 1],
    ['a: !unknown x', 1],
    ['? [a]\n: b', 1],
  ])('in its YAML, as %j, is told in one line with the line of the file', async (text, line) => {
    const message = await messageOf(text);
    expect(message).toMatch(
      new RegExp(
        `^error parsing document: yaml: line ${String(line)}: .+ \\(f\\.yaml, document \\d(?:: [^\\n]+)?\\)$`,
      ),
    );
  });

  test('as a key that is null, is told in the words of the original', async () => {
    expect(await messageOf('apiVersion: v1\n? \n: a\n')).toBe(
      'error parsing document: Unsupported map key of type: %!s(<nil>), key: <nil>, value: "a" (f.yaml, document 1)',
    );
  });

  test('shows control characters and long values so that a terminal stays whole', async () => {
    const message = await messageOf(policy('a', `spec: {selector: "\\e[31m${'x'.repeat(5000)}"}`));
    expect(message).toContain('\\u001b[31mxxx');
    expect(message.length).toBeLessThan(2_500);
  });

  test('by nesting, aliases or size is refused without being unfolded', async () => {
    const letters = 'abcdefghijklmnop';
    const bomb = Array.from(letters, (letter, i) =>
      i === 0
        ? 'a: &a [x, x, x, x, x, x, x, x, x]'
        : `${letter}: &${letter} [${Array(9)
            .fill(`*${letters.charAt(i - 1)}`)
            .join(', ')}]`,
    ).join('\n');
    expect(await messageOf(bomb)).toContain('excessive aliasing');
    expect(await messageOf('['.repeat(1_000_000))).toContain('nesting');
    expect(await messageOf('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toContain('nesting');
    expect(await messageOf('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000))).toContain('nesting');
    expect(await messageOf('- '.repeat(100_000))).toContain('nesting');
    expect(await messageOf(`a: &a [${'*a,'.repeat(20_000)}]`)).toContain('error parsing document');
  });

  test('is never a crash, whatever its bytes', async () => {
    const word = oneof(
      string(),
      constantFrom(
        '---\n',
        'kind: policy\n',
        'apiVersion: v1\n',
        'metadata:\n  ',
        'name: a\n',
        '- ',
        '&a ',
        '*a',
        '<<: ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '|\n',
        '? ',
        ': ',
        '%YAML 1.1\n',
        '!!int ',
        '\t',
        '__proto__: ',
      ),
    );
    await assert(
      asyncProperty(array(word, { maxLength: 20 }), async words => {
        const manifests = await read(words.join(''));
        expect(manifests.ok || manifests.message.length > 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an input', () => {
  async function fromStdin(bytes: Uint8Array): Promise<Manifests> {
    return await readManifests({
      filenames: ['-'],
      stdin: async function* () {
        yield await Promise.resolve(bytes);
      },
    });
  }

  test('is read from standard input for -', async () => {
    expect(await fromStdin(Buffer.from(policy('a')))).toMatchObject({
      ok: true,
      resources: [{ metadata: { name: 'a' } }],
    });
  });

  test('that is not UTF-8 is refused with the line', async () => {
    const bytes = Buffer.concat([Buffer.from(policy('a')), Buffer.from([0xff, 0xfe])]);
    expect(await fromStdin(bytes)).toEqual({
      ok: false,
      message: 'error parsing document: yaml: line 4: not valid UTF-8 (standard input)',
    });
  });

  test('that is larger than 16 MiB is refused before it is read to its end', async () => {
    let chunks = 0;
    const endless = async function* () {
      for (;;) {
        chunks++;
        yield await Promise.resolve(new Uint8Array(1024 * 1024));
      }
    };
    expect(await readManifests({ filenames: ['-'], stdin: endless })).toEqual({
      ok: false,
      message: 'read standard input: larger than 16 MiB',
    });
    expect(chunks).toBe(17);
  });

  test.each([
    ['/nowhere/x.yaml', 'open /nowhere/x.yaml: no such file or directory'],
    ['/proc/self/fd/..', expect.stringMatching(/^read .*: no \.yaml, \.yml or \.json file in it \(-R/)],
    ['a\0b', 'open a\\u0000b: invalid file name'],
    [`/${'x'.repeat(300)}`, `open /${'x'.repeat(300)}: file name too long`],
  ])('that cannot be opened, %j, is told in one line', async (filename, message) => {
    const stdin = async function* () {
      yield await Promise.resolve(new Uint8Array());
    };
    expect(await readManifests({ filenames: [filename], stdin })).toEqual({ ok: false, message });
  });

  test('in JSON counts values, not the commas and brackets in its texts', async () => {
    const text = String.raw`\\\"[,:`;
    const many = (count: number): string =>
      JSON.stringify([text.repeat(700_000), ...Array.from({ length: count }, () => 1)]);
    expect(await fromStdin(Buffer.from(many(10)))).toMatchObject({
      message: expect.stringContaining('apiVersion'),
    });
    expect(await fromStdin(Buffer.from(many(2_000_000)))).toMatchObject({
      message: expect.stringContaining('document is too large'),
    });
  });

  test('of any bytes is answered', async () => {
    await assert(
      asyncProperty(uint8Array({ maxLength: 200 }), async bytes => {
        expect(await fromStdin(bytes)).toHaveProperty('ok');
      }),
      { numRuns: 300 },
    );
  });
});
