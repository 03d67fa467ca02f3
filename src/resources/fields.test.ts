import { describe, expect, test } from 'vitest';
import { originalMessage } from '../../test/support/original-message.js';
import { parseResource } from './index.js';
import type { Kind } from './index.js';

/** A resource of each kind that is right, for a test to spoil. */
const valid: Readonly<Record<Kind, { readonly metadata: object; readonly spec: object }>> = {
  bgpPeer: { metadata: { scope: 'global', peerIP: '1.2.3.4' }, spec: {} },
  hostEndpoint: { metadata: { name: 'eth0', node: 'h' }, spec: { interfaceName: 'eth0' } },
  ipPool: { metadata: { cidr: '10.0.0.0/16' }, spec: {} },
  node: { metadata: { name: 'h' }, spec: {} },
  policy: { metadata: { name: 'web' }, spec: {} },
  profile: { metadata: { name: 'web' }, spec: {} },
  workloadEndpoint: {
    metadata: { name: 'eth0', workload: 'w', orchestrator: 'o', node: 'h' },
    spec: { interfaceName: 'cali1' },
  },
};

interface Change {
  readonly metadata?: object;
  readonly spec?: object;
}

function read(kind: Kind, { metadata, spec }: Change): object {
  const base = valid[kind];
  const parsed = parseResource({
    apiVersion: 'v1',
    kind,
    metadata: { ...base.metadata, ...metadata },
    spec: { ...base.spec, ...spec },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

/** What the original would say, and where we say it is. */
function refusal(kind: Kind, { metadata, spec }: Change): readonly [string, string] {
  const base = valid[kind];
  const parsed = parseResource({
    apiVersion: 'v1',
    kind,
    metadata: { ...base.metadata, ...metadata },
    spec: { ...base.spec, ...spec },
  });
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.resource)}`);
  const message = originalMessage(parsed.problems).replace(/^error (with field|parsing document:) /, '');
  return [parsed.problems.map(problem => problem.path).join(' '), message];
}

describe('a field', () => {
  test.each<[Kind, Change, object]>([
    // values take their canonical form
    ['bgpPeer', { metadata: { peerIP: '00bb::aa' } }, { metadata: { peerIP: 'bb::aa' } }],
    ['bgpPeer', { metadata: { peerIP: '::ffff:1.2.3.4' } }, { metadata: { peerIP: '1.2.3.4' } }],
    ['ipPool', { metadata: { cidr: 'aa:bb::1/64' } }, { metadata: { cidr: 'aa:bb::/64' } }],
    ['ipPool', { metadata: { cidr: '1.2.3.4/10' } }, { metadata: { cidr: '1.0.0.0/10' } }],
    ['workloadEndpoint', { spec: { mac: 'AA-BB-CC-DD-EE-0F' } }, { spec: { mac: 'aa:bb:cc:dd:ee:0f' } }],
    ['workloadEndpoint', { spec: { mac: 'aabb.ccdd.ee0f' } }, { spec: { mac: 'aa:bb:cc:dd:ee:0f' } }],
    // AS numbers
    ['bgpPeer', {}, { spec: { asNumber: 0 } }],
    ['bgpPeer', { spec: { asNumber: 4294967295 } }, { spec: { asNumber: 4294967295 } }],
    ['bgpPeer', { spec: { asNumber: '00.01' } }, { spec: { asNumber: 1 } }],
    ['bgpPeer', { spec: { asNumber: '1.10' } }, { spec: { asNumber: 65546 } }],
    // addresses of version 4 come first
    [
      'hostEndpoint',
      { spec: { expectedIPs: ['b::', '4.3.2.1', 'a::', '1.2.3.4', null] } },
      { spec: { expectedIPs: ['4.3.2.1', '1.2.3.4', 'b::', 'a::'] } },
    ],
    ['hostEndpoint', { metadata: { node: undefined, hostname: 'x' } }, { metadata: { node: 'x' } }],
    // names
    ['policy', { metadata: { name: '.-_a.B9' } }, { metadata: { name: '.-_a.B9' } }],
    ['policy', { metadata: { name: 'a'.repeat(128) } }, { metadata: { name: 'a'.repeat(128) } }],
    ['policy', { metadata: { name: '' } }, { metadata: { name: '' } }],
    // labels
    [
      'profile',
      { metadata: { labels: { '/x': '', 'a.b/c_d': '-a', x: '_a' } } },
      { metadata: { labels: { '/x': '', 'a.b/c_d': '-a', x: '_a' } } },
    ],
    // numbers
    ['policy', { spec: { order: -0.5 } }, { spec: { order: -0.5 } }],
    ['policy', { spec: { order: 0 } }, { spec: { order: 0 } }],
    [
      'workloadEndpoint',
      {
        spec: {
          ipNetworks: ['aa::1/128', '1.2.3.4/32'],
          ipNATs: [
            { internalIP: 'aa::1', externalIP: 'bb::1' },
            { internalIP: '1.2.3.4', externalIP: '5.6.7.8' },
          ],
        },
      },
      {
        spec: {
          ipNetworks: ['1.2.3.4/32', 'aa::1/128'],
          ipNATs: [
            { internalIP: '1.2.3.4', externalIP: '5.6.7.8' },
            { internalIP: 'aa::1', externalIP: 'bb::1' },
          ],
        },
      },
    ],
  ])('of %s: %j is kept as %j', (kind, change, kept) => {
    expect(read(kind, change)).toMatchObject(kept);
  });

  test.each<[Kind, Change]>([
    ['ipPool', { spec: { ipip: { enabled: false }, 'nat-outgoing': false, disabled: false } }],
    ['ipPool', { spec: { ipip: {} } }],
    ['ipPool', { spec: { ipip: null } }],
    ['ipPool', { spec: { vxlan: { enabled: false } } }],
    ['node', { spec: { bgp: null } }],
    ['policy', { spec: { ingress: [], egress: [], selector: '' } }],
    ['profile', { metadata: { tags: [], labels: {} } }],
    ['hostEndpoint', { spec: { profiles: [], expectedIPs: [] } }],
    ['workloadEndpoint', { spec: { profiles: [], ipNetworks: [], ipNATs: [], mac: null } }],
    ['bgpPeer', { metadata: { node: '' }, spec: { asNumber: null } }],
  ])('that is empty counts as absent: %s %j', (kind, change) => {
    expect(read(kind, change)).toEqual(read(kind, {}));
  });

  test.each<[Kind, Change, string, string]>([
    ['bgpPeer', { metadata: { scope: 'Global' } }, 'metadata.scope', "scope = 'Global'"],
    ['bgpPeer', { metadata: { node: 'a/b' } }, 'metadata.node', "node = 'a/b'"],
    ['bgpPeer', { metadata: { peerIP: '1.2.3' } }, 'metadata.peerIP', 'invalid IP address: 1.2.3'],
    ['bgpPeer', { metadata: { peerIP: '01.2.3.4' } }, 'metadata.peerIP', 'invalid IP address: 01.2.3.4'],
    [
      'bgpPeer',
      { metadata: { peerIP: 'fe80::1%eth0' } },
      'metadata.peerIP',
      'invalid IP address: fe80::1%eth0',
    ],
    ['bgpPeer', { metadata: { peerIP: '1.2.3.4/32' } }, 'metadata.peerIP', 'invalid IP address: 1.2.3.4/32'],
    [
      'bgpPeer',
      { metadata: { peerIP: 5 } },
      'metadata.peerIP',
      'json: cannot unmarshal number into Go value of type string',
    ],
    ...(
      [
        ['1.1.1', 'invalid AS Number format (1.1.1)'],
        ['65536.1', 'invalid AS Number format (65536.1)'],
        ['', 'invalid AS Number format ()'],
        [-1, 'json: cannot unmarshal number into Go value of type string'],
        [4294967296, 'json: cannot unmarshal number into Go value of type string'],
        [1.1, 'json: cannot unmarshal number into Go value of type string'],
        [true, 'json: cannot unmarshal bool into Go value of type string'],
      ] as const
    ).map(([asNumber, text]): [Kind, Change, string, string] => [
      'bgpPeer',
      { spec: { asNumber } },
      'spec.asNumber',
      text,
    ]),
    ['hostEndpoint', { spec: { interfaceName: 'eth0.1' } }, 'spec.interfaceName', "interfaceName = 'eth0.1'"],
    [
      'hostEndpoint',
      { spec: { interfaceName: 'a'.repeat(16) } },
      'spec.interfaceName',
      `interfaceName = '${'a'.repeat(16)}'`,
    ],
    [
      'hostEndpoint',
      { spec: { interfaceName: undefined } },
      'spec.interfaceName',
      "InterfaceName = '' (no interface or expected IPs have been specified)",
    ],
    [
      'hostEndpoint',
      { spec: { expectedIPs: ['1.2.3.4', ''] } },
      'spec.expectedIPs[1]',
      'invalid IP address: ',
    ],
    ['hostEndpoint', { spec: { profiles: ['a', 'b c'] } }, 'spec.profiles[1]', "profiles[1] = 'b c'"],
    ['hostEndpoint', { spec: { profiles: [null] } }, 'spec.profiles[0]', "profiles[0] = ''"],
    [
      'ipPool',
      { metadata: { cidr: '10.0.0.0/27' } },
      'metadata.cidr',
      "CIDR = '10.0.0.0/27' (IP pool is too small)",
    ],
    [
      'ipPool',
      { metadata: { cidr: 'aa::/123' } },
      'metadata.cidr',
      "CIDR = 'aa::/123' (IP pool is too small)",
    ],
    ['ipPool', { metadata: { cidr: '10.0.0.0' } }, 'metadata.cidr', 'invalid CIDR address: 10.0.0.0'],
    ['ipPool', { metadata: { cidr: '10.0.0.0/33' } }, 'metadata.cidr', 'invalid CIDR address: 10.0.0.0/33'],
    ['ipPool', { metadata: { cidr: null } }, 'metadata.cidr', 'invalid CIDR address: '],
    [
      'node',
      { spec: { bgp: {} } },
      'spec.bgp.ipv4Address',
      "BGP.IPv4Address = '<nil>' (no BGP IP address specified)",
    ],
    ['node', { spec: { bgp: { ipv4Address: 'aa::1' } } }, 'spec.bgp.ipv4Address', "ipv4Address = 'aa::1'"],
    [
      'node',
      { spec: { bgp: { ipv6Address: '1.2.3.4' } } },
      'spec.bgp.ipv6Address',
      "ipv6Address = '1.2.3.4'",
    ],
    ['policy', { metadata: { name: 'a'.repeat(129) } }, 'metadata.name', `name = '${'a'.repeat(129)}'`],
    ['policy', { metadata: { name: 'a\n' } }, 'metadata.name', "name = 'a\n'"],
    ['policy', { spec: { selector: 'a = b' } }, 'spec.selector', "selector = 'a = b'"],
    ['policy', { spec: { selector: "a == 'b'\n" } }, 'spec.selector', "selector = 'a == 'b'\n'"],
    [
      'policy',
      { spec: { order: '1' } },
      'spec.order',
      "cannot parse string '1' into field PolicySpec.order of type float64",
    ],
    ['policy', { spec: { order: Infinity } }, 'spec.order', 'json: unsupported value: +Inf'],
    ['profile', { metadata: { tags: ['a', null] } }, 'metadata.tags[1]', "tags[1] = ''"],
    [
      'profile',
      { metadata: { labels: { b: 'x-', a: '1' } } },
      'metadata.labels.b',
      "labels = 'map[a:1 b:x-]'",
    ],
    [
      'profile',
      { metadata: { labels: { 'a/b/c': '', 'x_/y': '', z: 'a'.repeat(64) } } },
      'metadata.labels.a/b/c metadata.labels.x_/y metadata.labels.z',
      `labels = 'map[a/b/c: x_/y: z:${'a'.repeat(64)}]'`,
    ],
    ['workloadEndpoint', { metadata: { workload: 'a/b' } }, 'metadata.workload', "workload = 'a/b'"],
    ['workloadEndpoint', { metadata: { node: 'a\u0007' } }, 'metadata.node', "node = 'a\u0007'"],
    ['workloadEndpoint', { spec: { interfaceName: '' } }, 'spec.interfaceName', "interfaceName = ''"],
    ['workloadEndpoint', { spec: { interfaceName: null } }, 'spec.interfaceName', "interfaceName = ''"],
    ['workloadEndpoint', { spec: { mac: 'aa:bb' } }, 'spec.mac', 'address aa:bb: invalid MAC address'],
    ['workloadEndpoint', { spec: { mac: '' } }, 'spec.mac', 'invalid MAC address'],
    ['workloadEndpoint', { spec: { ipv4Gateway: 'aa::1' } }, 'spec.ipv4Gateway', "ipv4Gateway = 'aa::1'"],
    [
      'workloadEndpoint',
      { spec: { ipNetworks: ['1.2.3.0/24', '1.2.3.4/32', 'aa::/64'] } },
      'spec.ipNetworks spec.ipNetworks',
      "IPNetworks = '[1.2.3.0/24 1.2.3.4/32 aa::/64]' (IP network contains multiple addresses)",
    ],
    ['workloadEndpoint', { spec: { ipNetworks: [null] } }, 'spec.ipNetworks[0]', 'invalid CIDR address: '],
    [
      'workloadEndpoint',
      { spec: { ipNetworks: ['1.2.3.4/32'], ipNATs: [{ internalIP: '1.2.3.4', externalIP: 'aa::' }] } },
      'spec.ipNATs[0].externalIP',
      "ExternalIP = 'aa::' (mismatched IP versions)",
    ],
    [
      'workloadEndpoint',
      { spec: { ipNetworks: ['1.2.3.4/32'], ipNATs: [{ internalIP: '1.2.3.5', externalIP: '5.5.5.5' }] } },
      'spec.ipNATs',
      "IPNATs = '[1.2.3.5<>5.5.5.5]' (NAT is not in the endpoint networks)",
    ],
  ])('of %s: %j is refused at %s: %s', (kind, change, path, message) => {
    expect(refusal(kind, change)).toEqual([path, message]);
  });
});

describe('several broken rules of one resource', () => {
  test('are told together, a rule over several fields also beside others', () => {
    expect(
      refusal('hostEndpoint', {
        metadata: { name: '!' },
        spec: { interfaceName: undefined, profiles: ['?'] },
      }),
    ).toEqual([
      'metadata.name spec.profiles[0] spec.interfaceName',
      'error with the following fields:\n' +
        "-  name = '!'\n-  profiles[0] = '?'\n" +
        "-  InterfaceName = '' (no interface or expected IPs have been specified)\n",
    ]);
  });

  test('do not draw in a rule about a field that could not be read', () => {
    expect(refusal('hostEndpoint', { spec: { interfaceName: 'a.b' } })[0]).toBe('spec.interfaceName');
    expect(refusal('node', { spec: { bgp: { ipv4Address: 'x' } } })[0]).toBe('spec.bgp.ipv4Address');
    expect(
      refusal('workloadEndpoint', {
        spec: { ipNetworks: ['x'], ipNATs: [{ internalIP: '1.2.3.4', externalIP: '5.5.5.5' }] },
      })[0],
    ).toBe('spec.ipNetworks[0]');
  });
});
