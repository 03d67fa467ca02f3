import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderText } from './cells.js';
import { resource, resourceOfKind } from '../../test/support/resources-arbitrary.js';
import {
  columns,
  identify,
  jsonSchema,
  kindOfWord,
  kinds,
  missingIdentifier,
  parseResource,
  toJson,
} from './index.js';
import type { Kind, Resource, ResourceOf } from './index.js';

function read<K extends Kind>(kind: K, metadata: object, spec: object = {}): ResourceOf<K> {
  const parsed = parseResource({ apiVersion: 'v1', kind, metadata, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  // The kind was given.
  return parsed.resource as unknown as ResourceOf<K>;
}

const peer = read('bgpPeer', { scope: 'global', peerIP: '1.2.3.4' });
const nodePeer = read('bgpPeer', { scope: 'node', node: 'h', peerIP: 'aa::1' }, { asNumber: '1.0' });
const endpoint = read(
  'workloadEndpoint',
  { name: 'eth0', workload: 'w', orchestrator: 'o', node: 'h' },
  {
    interfaceName: 'cali1',
    ipNetworks: ['10.0.0.1/32'],
    ipNATs: [{ internalIP: '10.0.0.1', externalIP: '1.2.3.4' }],
    ipv6Gateway: 'fe80::1',
    profiles: ['p', 'q'],
  },
);

describe('a kind', () => {
  test.each<[Kind, string]>([
    ['node', 'node nodes no nos'],
    ['hostEndpoint', 'hostendpoint hostendpoints hep heps HostEndpoint'],
    ['workloadEndpoint', 'workloadendpoint workloadendpoints wep weps'],
    ['profile', 'profile profiles pro pros'],
    ['policy', 'policy policies pol pols POL'],
    ['ipPool', 'ippool ippools ipp ipps pool pools'],
    ['bgpPeer', 'bgppeer bgppeers bgpp bgpps bp bps bgpPeers'],
  ])('%s is meant by each of: %s', (kind, words) => {
    expect(words.split(' ').map(kindOfWord)).toEqual(words.split(' ').map(() => kind));
  });

  test('is not meant by other words', () => {
    expect(['', 'x', 'policyList', 'constructor', '__proto__'].map(kindOfWord)).toEqual(
      Array(5).fill(undefined),
    );
  });

  test('has a schema with a description of every field', () => {
    for (const kind of kinds) {
      expect(jsonSchema(kind)).toMatchObject({
        description: expect.stringMatching(/./) as string,
        properties: { metadata: { type: 'object' }, spec: { type: 'object' } },
      });
    }
    expect(jsonSchema('policy')).toMatchObject({
      properties: { spec: { properties: { order: { type: 'number', description: 'a number' } } } },
    });
  });
});

describe('the identity of a resource', () => {
  test.each<[string, Resource]>([
    ['Node(name=h)', read('node', { name: 'h' })],
    ['Policy(name=web)', read('policy', { name: 'web' })],
    ['Profile(name=web)', read('profile', { name: 'web' })],
    ['IPPool(cidr=10.0.0.0/16)', read('ipPool', { cidr: '10.0.1.2/16' })],
    ['HostEndpoint(node=h, name=n)', read('hostEndpoint', { name: 'n', node: 'h' }, { interfaceName: 'e' })],
    ['WorkloadEndpoint(node=h, orchestrator=o, workload=w, name=eth0)', endpoint],
    ['BGPPeer(global, ip=1.2.3.4)', peer],
    ['BGPPeer(node=h, ip=aa::1)', nodePeer],
  ])('is written %s', (text, value) => {
    expect(identify(value)).toBe(text);
  });

  test.each<[string | undefined, Resource]>([
    ['name', read('node', {})],
    ['name', read('policy', { name: null })],
    ['cidr', read('ipPool', {})],
    ['node', read('hostEndpoint', {}, { interfaceName: 'e' })],
    ['name', read('hostEndpoint', { node: 'h' }, { interfaceName: 'e' })],
    ['node', read('workloadEndpoint', {}, { interfaceName: 'e' })],
    ['orchestrator', read('workloadEndpoint', { node: 'h', name: 'n' }, { interfaceName: 'e' })],
    ['workload', read('workloadEndpoint', { node: 'h', orchestrator: 'o' }, { interfaceName: 'e' })],
    [
      'name',
      read('workloadEndpoint', { node: 'h', orchestrator: 'o', workload: 'w' }, { interfaceName: 'e' }),
    ],
    ['peerIP', read('bgpPeer', {})],
    ['peerIP', read('bgpPeer', { peerIP: '', scope: 'global' })],
    ['scope', read('bgpPeer', { peerIP: '1.2.3.4' })],
    ['scope', read('bgpPeer', { peerIP: '1.2.3.4', scope: '' })],
    ['node', read('bgpPeer', { peerIP: '1.2.3.4', scope: 'node' })],
    [undefined, peer],
    [undefined, nodePeer],
    [undefined, endpoint],
  ])('lacks %s', (missing, value) => {
    expect(missingIdentifier(value)).toBe(missing);
  });

  test('is another for every two resources that differ in an identifier', () => {
    fc.assert(
      fc.property(resourceOfKind.hostEndpoint, resourceOfKind.hostEndpoint, (a, b) => {
        const same = a.metadata.name === b.metadata.name && a.metadata.node === b.metadata.node;
        expect(identify(a) === identify(b)).toBe(same);
      }),
    );
    fc.assert(
      fc.property(resource, value => {
        expect(missingIdentifier(value)).toBeUndefined();
      }),
    );
  });
});

describe('JSON', () => {
  test('has the fields in the order of the tables and shows what must always be there', () => {
    const rule = {
      destination: {},
      source: { ports: [80], net: '1.2.3.4/32' },
      protocol: 'tcp',
      action: 'allow',
    };
    const policy = read('policy', { name: 'web' }, { selector: '', ingress: [rule], order: 0 });
    expect(JSON.stringify(toJson(policy))).toBe(
      '{"kind":"policy","apiVersion":"v1","metadata":{"name":"web"},"spec":{"order":0,"ingress":[{"action":"allow",' +
        '"protocol":"tcp","source":{"net":"1.2.3.4/32","ports":[80]},"destination":{}}],"selector":""}}',
    );
    expect(JSON.stringify(toJson(peer))).toBe(
      '{"kind":"bgpPeer","apiVersion":"v1","metadata":{"scope":"global","peerIP":"1.2.3.4"},"spec":{"asNumber":0}}',
    );
    expect(toJson(read('bgpPeer', {}))).toMatchObject({ metadata: { scope: '' } });
    expect(toJson(read('node', {}))).toEqual({ kind: 'node', apiVersion: 'v1', metadata: {}, spec: {} });
  });
});

describe('the table of a kind', () => {
  const context = { globalAsNumber: 64512 };
  const row = <K extends Kind>(
    kind: K,
    value: ResourceOf<K>,
    globalAsNumber: number | undefined = 64512,
  ): object =>
    Object.fromEntries(columns(kind).map(column => [column.heading, column.cell(value, { globalAsNumber })]));

  test.each<[Kind, string, string, string]>([
    ['bgpPeer', 'SCOPE PEERIP NODE ASN', '', ''],
    ['hostEndpoint', 'HOSTNAME NAME', 'INTERFACE IPS PROFILES', 'NODE'],
    ['ipPool', 'CIDR', 'NAT IPIP', 'DISABLED'],
    ['node', 'NAME', 'ASN IPV4 IPV6', ''],
    ['policy', 'NAME', 'ORDER SELECTOR', ''],
    ['profile', 'NAME', 'TAGS', 'LABELS'],
    [
      'workloadEndpoint',
      'NODE ORCHESTRATOR WORKLOAD NAME',
      'NETWORKS NATS INTERFACE PROFILES',
      'IPV4GATEWAY IPV6GATEWAY MAC',
    ],
  ])('%s has the columns %s, wide also %s, on demand %s', (kind, narrow, wide, extra) => {
    const headings = (wanted: (column: { wide: boolean; extra: boolean }) => boolean): string =>
      columns(kind)
        .filter(wanted)
        .map(column => column.heading)
        .join(' ');
    expect(headings(column => !column.wide && !column.extra)).toBe(narrow);
    expect(headings(column => column.wide)).toBe(wide);
    expect(headings(column => column.extra)).toBe(extra);
  });

  test('shows lists with commas, NATs with <>, and <nil> for a missing gateway or MAC', () => {
    expect(row('workloadEndpoint', endpoint)).toEqual({
      NODE: 'h',
      ORCHESTRATOR: 'o',
      WORKLOAD: 'w',
      NAME: 'eth0',
      NETWORKS: '10.0.0.1/32',
      NATS: '10.0.0.1<>1.2.3.4',
      INTERFACE: 'cali1',
      PROFILES: 'p,q',
      IPV4GATEWAY: '<nil>',
      IPV6GATEWAY: 'fe80::1',
      MAC: '<nil>',
    });
    expect(row('bgpPeer', nodePeer)).toEqual({ SCOPE: 'node', PEERIP: 'aa::1', NODE: 'h', ASN: '65536' });
    expect(row('ipPool', read('ipPool', { cidr: '10.0.0.0/8' }, { ipip: { enabled: true } }))).toEqual({
      CIDR: '10.0.0.0/8',
      NAT: 'false',
      IPIP: 'true',
      DISABLED: 'false',
    });
  });

  test('shows where the AS number of a node comes from', () => {
    const asn = (bgp: object | undefined, global: number | undefined): string =>
      columns('node')
        .find(column => column.heading === 'ASN')
        ?.cell(read('node', { name: 'h' }, { bgp }), { ...context, globalAsNumber: global }) ?? '';
    expect(asn({ asNumber: 1, ipv4Address: '1.2.3.4' }, 64512)).toBe('1');
    expect(asn({ ipv4Address: '1.2.3.4' }, 64512)).toBe('(64512)');
    expect(asn({ ipv4Address: '1.2.3.4' }, undefined)).toBe('(unknown)');
    expect(asn(undefined, 64512)).toBe('');
  });

  test.each([
    [undefined, '<nil>'],
    [0, '0'],
    [100, '100'],
    [100000, '100000'],
    [0.5, '0.5'],
    [-9999.9999, '-9999.9999'],
    [0.0001, '0.0001'],
    [1e6, '1e+06'],
    [6543215.5, '6.5432155e+06'],
    [1e-5, '1e-05'],
    [1e100, '1e+100'],
  ])('shows the order %s as %s', (order, text) => {
    expect(orderText(order)).toBe(text);
  });

  test('has a cell for every resource', () => {
    fc.assert(
      fc.property(resource, value => {
        for (const column of columns(value.kind)) expect(typeof column.cell(value, context)).toBe('string');
      }),
    );
  });
});
