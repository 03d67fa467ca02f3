import { describe, expect, test } from 'vitest';
import { originalMessage } from '../../test/support/original-message.js';
import { parseResource } from './index.js';

function parse(rule: unknown): ReturnType<typeof parseResource> {
  return parseResource({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'web' },
    spec: { ingress: [rule] },
  });
}

function kept(rule: unknown): unknown {
  const parsed = parse(rule);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return 'ingress' in parsed.resource.spec ? parsed.resource.spec.ingress?.[0] : undefined;
}

const allow = { action: 'allow', source: {}, destination: {} };

describe('a rule', () => {
  test.each([
    [{ action: 'pass' }, { action: 'pass', source: {}, destination: {} }],
    [{ ...allow, source: null, destination: null }, allow],
    [
      { ...allow, ipVersion: 6.0 },
      { ...allow, ipVersion: 6 },
    ],
    [
      { ...allow, protocol: '06' },
      { ...allow, protocol: 6 },
    ],
    [
      { ...allow, protocol: 255, notProtocol: 'udplite' },
      { ...allow, protocol: 255, notProtocol: 'udplite' },
    ],
    [{ ...allow, icmp: {}, notICMP: { type: null } }, allow],
    [
      { ...allow, icmp: { type: 0, code: 0 } },
      { ...allow, icmp: { type: 0, code: 0 } },
    ],
    [
      { ...allow, source: { net: '10.1.2.3/8', notNet: 'A::/16', tag: 't', selector: '', notTag: '' } },
      { ...allow, source: { net: '10.0.0.0/8', notNet: 'a::/16', tag: 't' } },
    ],
    [
      {
        ...allow,
        protocol: 17,
        destination: { ports: [80, '081', '443:443', '1:65535', 80.0], notPorts: [] },
      },
      { ...allow, protocol: 17, destination: { ports: [80, 81, 443, '1:65535', 80] } },
    ],
    [{ ...allow, source: { ports: [] } }, allow],
    // Beyond v1: several networks, and ports by the names that endpoints give them.
    [
      {
        ...allow,
        protocol: 'tcp',
        destination: { nets: ['10.1.2.3/8', 'a::/16'], ports: ['http', '8080-tcp', 80] },
      },
      {
        ...allow,
        protocol: 'tcp',
        destination: { nets: ['10.0.0.0/8', 'a::/16'], ports: ['http', '8080-tcp', 80] },
      },
    ],
  ])('%j is kept as %j', (rule, expected) => {
    expect(kept(rule)).toEqual(expected);
  });

  const portRange = 'port range invalid, port number must be between 0 and 65536';
  const noPorts = 'protocol does not support ports';
  test.each<[object | null, string, string]>([
    [null, '.action', "action = ''"],
    [{}, '.action', "action = ''"],
    ...['Allow', 'next-tier', 'nextTier', 'permit'].map((action): [object, string, string] => [
      { action },
      '.action',
      `action = '${action}'`,
    ]),
    [{ ...allow, ipVersion: 5 }, '.ipVersion', "ipVersion = '5'"],
    [
      { ...allow, ipVersion: '4' },
      '.ipVersion',
      "cannot parse string '4' into field Rule.ipVersion of type int",
    ],
    [{ ...allow, protocol: 'TCP' }, '.protocol', "Protocol = 'TCP' (protocol name invalid)"],
    [{ ...allow, protocol: '256' }, '.protocol', "Protocol = '256' (protocol name invalid)"],
    [{ ...allow, protocol: 0 }, '.protocol', "Protocol = '0' (protocol number invalid)"],
    [
      { ...allow, protocol: 256 },
      '.protocol',
      'json: cannot unmarshal number 256 into Go value of type uint8',
    ],
    [
      { ...allow, notProtocol: [] },
      '.notProtocol',
      'json: cannot unmarshal array into Go value of type uint8',
    ],
    [{ ...allow, icmp: { type: 255 } }, '.icmp.type', "type = '255'"],
    [{ ...allow, notICMP: { type: 1, code: 256 } }, '.notICMP.code', "code = '256'"],
    [
      { ...allow, icmp: { code: 300 } },
      '.icmp.code',
      "Code = '300' (ICMP code specified without an ICMP type)",
    ],
    [{ ...allow, source: { tag: 'a b' } }, '.source.tag', "tag = 'a b'"],
    [{ ...allow, source: { notSelector: '!' } }, '.source.notSelector', "notSelector = '!'"],
    [{ ...allow, source: { net: '1.2.3.4' } }, '.source.net', 'invalid CIDR address: 1.2.3.4'],
    ...(
      [
        [0, `Port = '0' (${portRange})`],
        [null, `Port = '0' (${portRange})`],
        ['0:80', `Port = '80' (${portRange})`],
        [65536, 'json: cannot unmarshal number 65536 into Go value of type uint16'],
        [1.5, 'json: cannot unmarshal number 1.5 into Go value of type uint16'],
        [{}, 'json: cannot unmarshal object into Go value of type uint16'],
        ['80-90', 'invalid port format (80-90)'],
        ['1:2:3', 'invalid port format (1:2:3)'],
        ['ht tp', 'invalid port format (ht tp)'],
        ['80-90', 'invalid port format (80-90)'],
        ['x:1', 'invalid minimum port number in range (x:1)'],
        ['1:65536', 'invalid maximum port number in range (1:65536)'],
        ['9:8', 'minimum port number (9) is greater than maximum port number (8) in port range'],
      ] as const
    ).map(([port, text]): [object, string, string] => [
      { ...allow, protocol: 'tcp', source: { ports: [port] } },
      '.source.ports[0]',
      text,
    ]),
    [{ ...allow, source: { ports: [80, '1:2'] } }, '.source.ports', `Source.Ports = '[80 1:2]' (${noPorts})`],
    [
      { ...allow, protocol: 'sctp', source: { notPorts: [1] } },
      '.source.notPorts',
      `Source.NotPorts = '[1]' (${noPorts})`,
    ],
    [
      { ...allow, notProtocol: 'tcp', destination: { ports: [1] } },
      '.destination.ports',
      `Destination.Ports = '[1]' (${noPorts})`,
    ],
    [
      { ...allow, protocol: 1, destination: { notPorts: [1] } },
      '.destination.notPorts',
      `Destination.NotPorts = '[1]' (${noPorts})`,
    ],
  ])('%j is refused at %s: %s', (rule, path, message) => {
    const parsed = parse(rule);
    const problems = parsed.ok ? [] : parsed.problems;
    expect(problems.map(problem => problem.path)).toEqual([`spec.ingress[0]${path}`]);
    expect(originalMessage(problems).replace(/^error (with field|parsing document:) /, '')).toBe(message);
  });

  test('that is refused says what would be right', () => {
    const parsed = parse({ action: 'permit' });
    expect(parsed).toMatchObject({
      problems: [{ path: 'spec.ingress[0].action', value: 'permit', expected: 'allow, deny, log or pass' }],
    });
  });
});
