import { assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from './document.js';
import { jsonSchema, kinds } from './registry.js';
import { suggestField } from './suggest-field.js';

describe('the field that was probably meant', () => {
  test.each([
    ['policy', 'spec.ingres', 'spec.ingress'],
    ['policy', 'spec.ingress[3].soruce', 'spec.ingress[3].source'],
    ['policy', 'SPEC.Ingress[0].source.prots', 'SPEC.Ingress[0].source.ports'],
    ['policy', 'selector', 'spec.selector'],
    ['policy', 'selectr', 'spec.selector'],
    ['policy', 'spec.ingress[0].net', 'spec.ingress[0].source.net or spec.ingress[0].destination.net'],
    ['policy', 'metadata.order', 'spec.order'],
    ['ipPool', 'spec.natOutgoing', 'spec.nat-outgoing'],
    ['ipPool', 'spec.cidr', 'metadata.cidr'],
    ['node', 'spec.ipv4Address', 'spec.bgp.ipv4Address'],
    ['hostEndpoint', 'metadata.interfaceName', 'spec.interfaceName'],
    ['policy', 'spec.podSelector', undefined],
    ['policy', 'no.such.thing', undefined],
  ] as const)('of a %s for %s is %s', (kind, path, meant) => {
    expect(suggestField(jsonSchema(kind), path)).toBe(meant);
  });

  test('is in the message with its whole path', () => {
    const rule = { action: 'allow', soruce: {} };
    const metadata = { name: 'a' };
    const document = [{ apiVersion: 'v1', kind: 'policy', metadata, spec: { ingress: [rule] } }];
    expect(parseDocument(document)).toMatchObject({
      ok: false,
      problems: [
        {
          path: '[0].spec.ingress[0].soruce',
          expected: expect.stringMatching(/^one of action, .*; did you mean spec\.ingress\[0\]\.source\?$/),
        },
      ],
    });
  });

  test.each([
    ['polcy', 'policy'],
    ['Pool', 'ipPool'],
    ['bgppeer', 'bgpPeer'],
    ['profilelist', 'profileList'],
  ])('of a kind written as %s is %s', (kind, meant) => {
    expect(parseDocument({ apiVersion: 'v1', kind })).toMatchObject({
      problems: [
        { path: 'kind', expected: expect.stringMatching(new RegExp(`; did you mean ${meant}\\?$`)) },
      ],
    });
  });

  test('is some known field, or none, for any path', () => {
    assert(
      property(constantFrom(...kinds), string(), (kind, path) => {
        expect(suggestField(jsonSchema(kind), path)).not.toBe(path);
      }),
    );
  });
});

test('a document with very many mistakes is read no further than anybody would', () => {
  const document = {
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'a' },
    spec: { ingress: Array(200_000).fill(1) },
  };
  const parsed = parseDocument(document);
  expect(parsed.ok ? 0 : parsed.problems.length).toBe(1_000);
});
