import { describe, expect, test } from 'vitest';
import { nets, selector } from '../../test/support/policy-builders.js';
import { identify, parseResource } from '../resources/index.js';
import { modelChangeFromV1, policyFromV1 } from './from-v1.js';
import type { RuleMatch } from './model.js';
import type { V1Change } from './from-v1.js';
import type { Resource, RuleSpec } from '../resources/index.js';

function read(kind: string, metadata: object, spec: object): Resource {
  const parsed = parseResource({ apiVersion: 'v1', kind, metadata, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

function change(resource: Resource): V1Change | undefined {
  return modelChangeFromV1(resource.kind, identify(resource), resource);
}

/** As the store has it, with what the user may not write but an older writer may have. */
function stored(rule: object): ReturnType<typeof policyFromV1> {
  return policyFromV1({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name: 'x' },
    spec: { selector: '', ingress: [rule as RuleSpec] }, // deliberately not one
  });
}

describe('a workload endpoint', () => {
  const resource = read(
    'workloadEndpoint',
    { node: 'n1', orchestrator: 'cni', workload: 'shop', name: 'eth0', labels: { role: 'db' } },
    {
      ipNetworks: ['10.65.0.2/32', 'FD80:65:0::2/128'],
      profiles: ['b', 'a'],
      interfaceName: 'cali1',
      mac: 'EE-EE-EE-EE-EE-EE',
      ipv6Gateway: 'FD80:65:0::ff',
    },
  );

  test('becomes an endpoint with canonical addresses and its profiles in order', () => {
    expect(change(resource)).toEqual({
      kind: 'endpoint',
      id: 'workload:n1/cni/shop/eth0',
      endpoint: {
        id: 'workload:n1/cni/shop/eth0',
        kind: 'workload',
        node: 'n1',
        labels: { role: 'db' },
        profiles: ['b', 'a'],
        addresses: ['10.65.0.2', 'fd80:65::2'],
        interfaceName: 'cali1',
        mac: 'ee:ee:ee:ee:ee:ee',
        ipv6Gateway: 'fd80:65::ff',
        adminUp: true,
      },
      issues: [],
    });
  });

  test('has its floating addresses, but none for an address that is not its own', () => {
    const { metadata, spec } = resource;
    const changed = change({
      ...resource,
      metadata,
      spec: {
        ...spec,
        ipNATs: [
          { internalIP: '10.65.0.2', externalIP: '203.0.113.5' },
          { internalIP: 'fd80:65::2', externalIP: '2001:DB8:0::5' },
          { internalIP: '10.65.0.9', externalIP: '203.0.113.6' },
        ],
      },
    } as Resource); // a workload endpoint as above
    expect(changed).toMatchObject({
      endpoint: {
        floating: [
          { external: '203.0.113.5', internal: '10.65.0.2' },
          { external: '2001:db8::5', internal: 'fd80:65::2' },
        ],
      },
      issues: [{ path: 'spec.ipNATs[2]', value: '10.65.0.9<>203.0.113.6' }],
    });
  });

  test('that is gone is known by its id alone', () => {
    expect(modelChangeFromV1('workloadEndpoint', identify(resource), undefined)).toEqual({
      kind: 'endpoint',
      id: 'workload:n1/cni/shop/eth0',
      endpoint: undefined,
      issues: [],
    });
  });
});

describe('a resource', () => {
  test.each([
    read('hostEndpoint', { node: 'n1', name: 'eth0' }, { expectedIPs: ['192.0.2.1', '2001:db8::1'] }),
    read(
      'workloadEndpoint',
      { node: 'n', orchestrator: 'k8s', workload: 'a.b', name: 'e' },
      { interfaceName: 'c' },
    ),
    read('policy', { name: 'web.one' }, {}),
    read('profile', { name: 'web' }, {}),
    read('ipPool', { cidr: '10.65.0.0/16' }, {}),
    read('ipPool', { cidr: 'fd80:65::/64' }, {}),
  ])('of kind $kind has the same id when it comes and when it goes', resource => {
    const gone = modelChangeFromV1(resource.kind, identify(resource), undefined);
    expect(gone?.id).toBe(change(resource)?.id);
    expect(gone?.kind).toBe(change(resource)?.kind);
  });

  test('that is about routing changes nothing here', () => {
    const node = read('node', { name: 'n1' }, { bgp: { ipv4Address: '192.0.2.1' } });
    const peer = read('bgpPeer', { scope: 'global', peerIP: '192.0.2.9' }, { asNumber: 64_512 });
    for (const each of [node, peer]) {
      expect(change(each)).toBeUndefined();
      expect(modelChangeFromV1(each.kind, identify(each), undefined)).toBeUndefined();
    }
  });

  test('that is a host endpoint found by its addresses has no interface name', () => {
    const resource = read('hostEndpoint', { node: 'n1', name: 'eth0' }, { expectedIPs: ['192.0.2.1'] });
    expect(change(resource)).toMatchObject({
      endpoint: { kind: 'host', addresses: ['192.0.2.1'], profiles: [] },
    });
    expect(change(resource)).not.toHaveProperty('endpoint.interfaceName');
  });

  test('that is a pool carries whether its addresses leave by NAT', () => {
    const pool = { kind: 'pool', id: '10.65.0.0/16', issues: [] };
    const cidr = nets('10.65.0.0/16')[0];
    const metadata = { cidr: '10.65.0.0/16' };
    expect(change(read('ipPool', metadata, { 'nat-outgoing': true }))).toEqual({
      ...pool,
      pool: { cidr, natOutgoing: true },
    });
    expect(change(read('ipPool', metadata, { disabled: true }))).toEqual({
      ...pool,
      pool: { cidr, natOutgoing: false },
    });
  });

  test('that is a profile brings its tags and labels', () => {
    const resource = read(
      'profile',
      { name: 'p', tags: ['t'], labels: { a: 'b' } },
      { egress: [{ action: 'allow' }] },
    );
    expect(change(resource)).toMatchObject({
      profile: {
        id: 'p',
        tags: ['t'],
        labels: { a: 'b' },
        ingress: [],
        egress: [{ action: 'allow', match: {} }],
      },
    });
  });
});

describe('a policy', () => {
  test('decides both directions even without rules, for every endpoint when it has no selector', () => {
    expect(change(read('policy', { name: 'p' }, {}))).toEqual({
      kind: 'policy',
      id: 'p',
      policy: {
        id: 'p',
        tier: 'default',
        selector: { kind: 'all' },
        types: ['ingress', 'egress'],
        ingress: [],
        egress: [],
      },
      issues: [],
    });
  });

  test('keeps an order of 0, and its selector', () => {
    expect(change(read('policy', { name: 'p' }, { order: 0, selector: 'a == "b"' }))).toMatchObject({
      policy: { order: 0, selector: selector('a == "b"') },
    });
  });

  test.each([
    [{ types: ['egress'] }, { types: ['egress'] }],
    [
      { doNotTrack: true, applyOnForward: true },
      { types: ['ingress', 'egress'], stages: ['untracked'] },
    ],
    [
      { preDNAT: true, applyOnForward: true },
      { types: ['ingress'], stages: ['pre-dnat'] },
    ],
    [{ applyOnForward: true }, { stages: ['normal', 'forward'] }],
    [{ applyOnForward: false, doNotTrack: false, types: [] }, { types: ['ingress', 'egress'] }],
  ])('with %j is %j', (spec, expected) => {
    expect(change(read('policy', { name: 'p' }, spec))).toMatchObject({ policy: expected });
  });

  test('whose selector cannot be read is refused, never widened', () => {
    const unreadable = {
      apiVersion: 'v1',
      kind: 'policy',
      metadata: { name: 'p' },
      spec: { selector: '==' },
    } as const;
    expect(() => policyFromV1(unreadable)).toThrow("which endpoints policy 'p'");
  });
});

describe('a rule', () => {
  const both = (given: object) => ({ source: given, destination: given });
  const cases: readonly (readonly [object, RuleMatch])[] = [
    [{}, {}],
    [{ ipVersion: 6 }, { ipVersion: 6 }],
    [{ protocol: 'tcp' }, { protocol: 6 }],
    [
      { protocol: 'icmpv6', notProtocol: '47' },
      { protocol: 58, notProtocol: 47 },
    ],
    [{ icmp: { type: 0 } }, { icmp: { type: 0 } }],
    [
      { icmp: { type: 8, code: 0 }, notICMP: { type: 3 } },
      { icmp: { type: 8, code: 0 }, notIcmp: { type: 3 } },
    ],
    [
      both({ tag: 't', notTag: 'u' }),
      { sourceTag: 't', notSourceTag: 'u', destinationTag: 't', notDestinationTag: 'u' },
    ],
    [
      both({ net: '10.0.0.1/8', notNet: 'fd00::/8' }),
      {
        sourceNets: nets('10.0.0.0/8'),
        notSourceNets: nets('fd00::/8'),
        destinationNets: nets('10.0.0.0/8'),
        notDestinationNets: nets('fd00::/8'),
      },
    ],
    [
      both({ selector: 'has(a)', notSelector: 'all()' }),
      {
        sourceSelector: selector('has(a)'),
        notSourceSelector: selector('all()'),
        destinationSelector: selector('has(a)'),
        notDestinationSelector: selector('all()'),
      },
    ],
    [both({ selector: '' }), {}],
    [
      { protocol: 'udp', ...both({ ports: [53, '1000:2000'], notPorts: ['80'] }) },
      {
        protocol: 17,
        sourcePorts: [
          { min: 53, max: 53 },
          { min: 1000, max: 2000 },
        ],
        notSourcePorts: [{ min: 80, max: 80 }],
        destinationPorts: [
          { min: 53, max: 53 },
          { min: 1000, max: 2000 },
        ],
        notDestinationPorts: [{ min: 80, max: 80 }],
      },
    ],
  ];

  test.each(cases)('keeps the meaning of %o', (spec, match) => {
    const result = change(read('policy', { name: 'p' }, { ingress: [{ action: 'allow', ...spec }] }));
    expect(result).toMatchObject({ issues: [] });
    expect(result).toHaveProperty('policy.ingress', [{ action: 'allow', match }]);
  });

  test.each([
    ['spec.ingress[0].source.net', { source: { net: '10.0.0.0' } }],
    ['spec.ingress[0].destination.selector', { destination: { selector: 'a b' } }],
    ['spec.ingress[0].source.ports', { protocol: 'tcp', source: { ports: ['1:2:3'] } }],
    ['spec.ingress[0].source.notPorts', { protocol: 'tcp', source: { notPorts: [0] } }],
    ['spec.ingress[0].protocol', { source: { ports: [80] } }],
    ['spec.ingress[0].protocol', { protocol: 47, destination: { notPorts: [80] } }],
    ['spec.ingress[0].icmp', { icmp: { code: 1 } }],
    ['spec.ingress[0].ipVersion', { ipVersion: 5 }],
  ])('that cannot be taken denies everything and says where: %s', (path, spec) => {
    const { value, issues } = stored({ action: 'allow', ...spec });
    expect(value.ingress).toEqual([{ action: 'deny', match: {} }]);
    expect(issues.map(issue => issue.path)).toEqual([path]);
  });

  test('with an ICMP type beside another protocol is kept, because it matches nothing, and reported', () => {
    const { value, issues } = stored({ action: 'allow', protocol: 'tcp', icmp: { type: 8 } });
    expect(value.ingress).toEqual([{ action: 'allow', match: { protocol: 6, icmp: { type: 8 } } }]);
    expect(issues).toHaveLength(1);
  });
});
