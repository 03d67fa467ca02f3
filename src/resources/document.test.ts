import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { originalMessage } from '../../test/support/original-message.js';
import { resource } from '../../test/support/resources-arbitrary.js';
import { kinds, parseDocument, parseResource, toJson } from './index.js';
import type { Problem } from './index.js';

const web = { apiVersion: 'v1', kind: 'policy', metadata: { name: 'web' } };
const db = { apiVersion: 'v1', kind: 'profile', metadata: { name: 'db' } };

function problemsOf(value: unknown): readonly Problem[] {
  const parsed = parseDocument(value);
  return parsed.ok ? [] : parsed.problems;
}

function namesOf(value: unknown): readonly string[] {
  const parsed = parseDocument(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resources.map(each => `${each.kind} ${'name' in each.metadata ? each.metadata.name : ''}`);
}

describe('a document', () => {
  test('is one resource, an array, a list kind, or an array with list kinds, which are expanded in place', () => {
    const policies = { apiVersion: 'v1', kind: 'policyList', metadata: {}, items: [web, web] };
    expect(namesOf(web)).toEqual(['policy web']);
    expect(namesOf([web, db])).toEqual(['policy web', 'profile db']);
    expect(namesOf(policies)).toEqual(['policy web', 'policy web']);
    expect(namesOf([db, policies, db])).toEqual(['profile db', 'policy web', 'policy web', 'profile db']);
    expect(namesOf([])).toEqual([]);
  });

  test.each([{ items: [] }, { items: null }, {}])('that is a list with %j holds nothing', more => {
    expect(namesOf({ apiVersion: 'v1', kind: 'nodeList', ...more })).toEqual([]);
  });

  test.each([
    [undefined, 'Unknown resource type () and/or version ()'],
    [null, 'Unknown resource type () and/or version ()'],
    [[null], 'Unknown resource type () and/or version ()'],
    [{ kind: 'bgppeer', apiVersion: 'v1' }, 'Unknown resource type (bgppeer) and/or version (v1)'],
    [{ kind: 'policy' }, 'Unknown resource type (policy) and/or version ()'],
    [{ kind: 'policyList', apiVersion: 'v2' }, 'Unknown resource type (policyList) and/or version (v2)'],
    [[web, { kind: 'x' }], 'Unknown resource type (x) and/or version ()'],
    [
      'foo',
      "error parsing document: cannot parse string 'foo' into value of type []unversioned.TypeMetadata",
    ],
    [
      { kind: ['<a>'], apiVersion: 'v1' },
      `error parsing document: cannot parse object '{"apiVersion":"v1","kind":["\\u003ca\\u003e"]}' into value of type []unversioned.TypeMetadata`,
    ],
    [['a'], "error parsing document: cannot parse string 'a' into value of type unversioned.TypeMetadata"],
    [
      { ...web, spec: 3 },
      "error parsing document: cannot parse number '3' into field Policy.spec of type api.PolicySpec",
    ],
    [
      { ...web, metadata: { name: ['a'] } },
      `error parsing document: cannot parse array '["a"]' into field PolicyMetadata.name of type string`,
    ],
    [
      {
        apiVersion: 'v1',
        kind: 'ipPool',
        metadata: { cidr: '10.0.0.0/8' },
        spec: { ipip: { enabled: 'True' } },
      },
      "error parsing document: cannot parse string 'True' into field IPIPConfiguration.enabled of type bool",
    ],
    [
      {
        apiVersion: 'v1',
        kind: 'ipPool',
        metadata: { cidr: '10.0.0.0/8' },
        spec: { ipip: { enabled: true }, vxlan: { enabled: true, mode: 'cross-subnet' } },
      },
      "error with field VXLAN = 'true' (a pool has either ipip or vxlan)",
    ],
    [
      { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/8' }, spec: { blockSize: 19 } },
      "error with field blockSize = '19'",
    ],
    [
      { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/24' }, spec: { blockSize: 122 } },
      "error with field blockSize = '122'",
    ],
    [
      { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/24' }, spec: { blockSize: 22 } },
      "error with field blockSize = '22'",
    ],
    [
      { ...web, zz: 1 },
      'error parsing document: field in document is not recognized or is in the wrong location: zz',
    ],
    [
      { ...web, zz: 1, metadata: { q: 1, b: 1 }, aa: 2 },
      'error parsing document: fields in document are not recognized or are in the wrong location: aa, b, q, zz',
    ],
    [
      { ...web, a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 },
      'error parsing document: fields in document are not recognized or are in the wrong location: a, b, c, d (+ 2 more)',
    ],
    [
      { ...web, metadata: { name: 'web', Name: 'web' } },
      'error parsing document: field in document is not recognized or is in the wrong location: Name',
    ],
    [{ apiVersion: 'v1', kind: 'policyList', items: [web, db] }, "error with field kind = 'profile'"],
    [
      { apiVersion: 'v1', kind: 'policyList', items: [{ ...web, apiVersion: 'v2' }] },
      "error with field apiVersion = 'v2'",
    ],
    [{ ...web, metadata: { name: 'a b' } }, "error with field name = 'a b'"],
    [
      { ...web, metadata: { name: 'a b' }, spec: { ingress: [{ action: 'permit' }], selector: 'a = b' } },
      "error with the following fields:\n-  name = 'a b'\n-  action = 'permit'\n-  selector = 'a = b'\n",
    ],
    [
      [
        { ...web, metadata: { name: 'a b' } },
        { ...db, metadata: { name: 'c d' } },
      ],
      "error with field name = 'a b'",
    ],
    [
      { ...web, spec: { order: 'x', ingress: [{ source: { net: '1' } }] }, metadata: { x: 1, name: 'a b' } },
      'error parsing document: invalid CIDR address: 1',
    ],
  ])('%j is refused in the words of the original', (value, message) => {
    expect(originalMessage(problemsOf(value))).toBe(message);
  });

  test('names every problem with its path, in the order of the document', () => {
    const value = [
      {
        apiVersion: 'v1',
        kind: 'policyList',
        items: [web, { ...web, spec: { order: [], ingress: [{}, { action: 'deny', zz: 1 }] } }],
      },
      { ...db, metadata: { tags: ['a', ''], name: '!' } },
    ];
    expect(problemsOf(value).map(({ path, value: given, resource: index }) => [path, given, index])).toEqual([
      ['[0].items[1].spec.order', '[]', 1],
      ['[0].items[1].spec.ingress[0].action', '', 1],
      ['[0].items[1].spec.ingress[1].zz', '1', 1],
      ['[1].metadata.tags[1]', '', 2],
      ['[1].metadata.name', '!', 2],
    ]);
  });

  test('may spell fields in any case, and the exact spelling is what is kept', () => {
    const parsed = parseResource({
      APIVERSION: 'v1',
      Kind: 'policy',
      MetaData: { NAME: 'web' },
      spec: { ORDER: 1 },
    });
    expect(parsed).toEqual({
      ok: true,
      resource: { ...web, spec: { order: 1, selector: '' } },
    });
  });

  test('takes null for a missing metadata, spec, list or text', () => {
    const value = { ...web, metadata: { name: null }, spec: { ingress: null, selector: null, order: null } };
    expect(parseResource(value)).toEqual({
      ok: true,
      resource: { ...web, metadata: { name: '' }, spec: { selector: '' } },
    });
    expect(parseResource({ ...web, spec: null })).toEqual({
      ok: true,
      resource: { ...web, spec: { selector: '' } },
    });
  });

  test('takes numbers and booleans as texts', () => {
    const value = { ...db, metadata: { name: 123, labels: { a: true, b: null, c: 1.5 }, tags: [7] } };
    expect(parseResource(value)).toMatchObject({
      resource: { metadata: { name: '123', labels: { a: 'true', b: '', c: '1.5' }, tags: ['7'] } },
    });
  });

  test('of any JSON whatever is read or refused, never a crash', () => {
    const keys = fc.constantFrom(
      'apiVersion',
      'kind',
      'metadata',
      'spec',
      'items',
      'name',
      'ingress',
      'source',
      'ports',
      'icmp',
      'labels',
      'bgp',
      'cidr',
      'ipip',
      '__proto__',
      'constructor',
    );
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(
        'v1',
        null,
        true,
        0,
        Infinity,
        '',
        'tcp',
        '1.2.3.4/32',
        ...kinds,
        'policyList',
      ),
      fc.string(),
      fc.double(),
    );
    const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
      tree: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        leaf,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(keys, fc.string()), tie('tree'), { maxKeys: 6 }),
      ),
    }));
    const shaped = fc
      .record({ apiVersion: fc.constant('v1'), kind: fc.constantFrom(...kinds), metadata: tree, spec: tree })
      .map(value => value as unknown);
    fc.assert(
      fc.property(fc.oneof(tree, shaped, fc.jsonValue()), value => {
        const parsed = parseDocument(value);
        const problems = parsed.ok ? [] : parsed.problems;
        expect(parsed.ok || problems.length > 0).toBe(true);
        expect(parsed.ok || originalMessage(problems) !== '').toBe(true);
        expect(problems.every(({ expected }) => expected !== '')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('nested very deep is refused, not a crash', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(problemsOf({ ...web, metadata: { name: deep } })).toMatchObject([
      { path: 'metadata.name', value: '[…]' },
    ]);
    expect(problemsOf(deep)).toMatchObject([{ path: '[0]' }]);
  });
});

describe('a valid resource', () => {
  test('is the same after it was written and read again, also in the order of the tables', () => {
    fc.assert(
      fc.property(resource, value => {
        const json: unknown = JSON.parse(JSON.stringify(toJson(value)));
        expect(parseResource(json)).toEqual({ ok: true, resource: value });
        expect(parseResource(value)).toEqual({ ok: true, resource: value });
      }),
      { numRuns: 1500 },
    );
  });
});
