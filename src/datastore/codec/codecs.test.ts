import { assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resource } from '../../../test/support/resources-arbitrary.js';
import type { Kind, Metadata } from '../../resources/index.js';
import { codecOf, decodeResource, encodeResource, ownerOf } from './codecs.js';
import { settingKey, settingOf } from './settings.js';

describe('a stored resource', () => {
  test('reads back as it was written, whatever its kind and content', () => {
    assert(
      property(resource, written => {
        const values = encodeResource(written).map(([, value]) => value);
        expect(decodeResource(written.kind, written.metadata, values)).toEqual({
          ok: true,
          resource: written,
        });
      }),
      { numRuns: 400 },
    );
  });

  test('is found again from each of its keys', () => {
    assert(
      property(resource, written => {
        const keys = codecOf(written.kind).keys(written.metadata);
        for (const [index, key] of keys.entries()) {
          const owner = ownerOf(key);
          expect(owner).toMatchObject({ kind: written.kind, index });
          expect(written.metadata).toMatchObject(owner?.metadata ?? {});
        }
      }),
    );
  });

  test('lies under the prefixes of its kind, with any of its identifiers given', () => {
    assert(
      property(resource, ({ kind, metadata }) => {
        const codec = codecOf(kind);
        const keys = codec.keys(metadata);
        for (const filter of [{}, metadata, ...singles(metadata)]) {
          const prefixes = codec.prefixes(filter);
          for (const key of keys) expect(prefixes.some(prefix => key.startsWith(prefix))).toBe(true);
        }
      }),
    );
  });
});

describe('the stored form', () => {
  const stored = (kind: Kind, metadata: object, spec: object): Record<string, string | undefined> =>
    Object.fromEntries(
      encodeResource({ apiVersion: 'v1', kind, metadata, spec } as Parameters<typeof encodeResource>[0]),
    );

  test('of a policy has the rule members of the v1 layout and calls pass next-tier', () => {
    const ingress = [
      {
        action: 'pass',
        protocol: 'tcp',
        icmp: { type: 8, code: 0 },
        notICMP: { type: 3 },
        source: { selector: "role == 'front'", notNet: '10.0.0.0/8' },
        destination: { ports: [80, '100:200'], notTag: 't' },
      },
    ];
    expect(stored('policy', { name: 'web' }, { order: 1.5, ingress, selector: '' })).toEqual({
      '/calico/v1/policy/tier/default/policy/web': JSON.stringify({
        order: 1.5,
        inbound_rules: [
          {
            action: 'next-tier',
            protocol: 'tcp',
            icmp_type: 8,
            icmp_code: 0,
            '!icmp_type': 3,
            src_selector: "role == 'front'",
            dst_ports: [80, '100:200'],
            '!src_net': '10.0.0.0/8',
            '!dst_tag': 't',
          },
        ],
        selector: '',
      }),
    });
  });

  test('of a profile is three keys', () => {
    expect(stored('profile', { name: 'p', tags: ['t'] }, {})).toEqual({
      '/calico/v1/policy/profile/p/tags': '["t"]',
      '/calico/v1/policy/profile/p/labels': '{}',
      '/calico/v1/policy/profile/p/rules': '{}',
    });
  });

  test('of a node is in both trees, with empty texts for addresses that it does not have', () => {
    expect(stored('node', { name: 'n' }, { bgp: { ipv4Address: '10.0.0.1' } })).toEqual({
      '/calico/v1/host/n/metadata': '{}',
      '/calico/v1/host/n/bird_ip': '10.0.0.1',
      '/calico/bgp/v1/host/n/ip_addr_v4': '10.0.0.1',
      '/calico/bgp/v1/host/n/ip_addr_v6': '',
      '/calico/bgp/v1/host/n/as_num': undefined,
      '/calico/bgp/v1/host/n/rr_cluster_id': undefined,
    });
  });

  test('of pools and peers follows the v1 layout', () => {
    expect(stored('ipPool', { cidr: 'fd00::/64' }, { ipip: { enabled: true } })).toEqual({
      '/calico/v1/ipam/v6/pool/fd00::-64':
        '{"cidr":"fd00::/64","ipip":"tunl0","masquerade":false,"ipam":true,"disabled":false}',
    });
    expect(
      stored('ipPool', { cidr: '10.0.0.0/16' }, { ipip: { enabled: true, mode: 'cross-subnet' } }),
    ).toEqual({
      '/calico/v1/ipam/v4/pool/10.0.0.0-16':
        '{"cidr":"10.0.0.0/16","ipip":"tunl0","ipip_mode":"cross-subnet","masquerade":false,"ipam":true,"disabled":false}',
    });
    expect(
      stored('ipPool', { cidr: '10.0.0.0/16' }, { vxlan: { enabled: true, mode: 'cross-subnet' } }),
    ).toEqual({
      '/calico/v1/ipam/v4/pool/10.0.0.0-16':
        '{"cidr":"10.0.0.0/16","ipip":"","masquerade":false,"ipam":true,"disabled":false,"vxlan":"vxlan.calico","vxlan_mode":"cross-subnet"}',
    });
    expect(stored('ipPool', { cidr: '10.0.0.0/16' }, { blockSize: 29 })).toEqual({
      '/calico/v1/ipam/v4/pool/10.0.0.0-16':
        '{"cidr":"10.0.0.0/16","ipip":"","masquerade":false,"ipam":true,"disabled":false,"blockSize":29}',
    });
    expect(stored('bgpPeer', { scope: 'node', node: 'n', peerIP: 'fd00::1' }, { asNumber: 64512 })).toEqual({
      '/calico/bgp/v1/host/n/peer_v6/fd00::1': '{"ip":"fd00::1","as_num":"64512"}',
    });
  });

  test('of endpoints follows the v1 layout', () => {
    const metadata = { node: 'n', orchestrator: 'k8s', workload: 'ns/pod', name: 'eth0' };
    expect(
      stored('workloadEndpoint', metadata, { interfaceName: 'cali1', ipNetworks: ['10.0.0.1/32'] }),
    ).toEqual({
      '/calico/v1/host/n/workload/k8s/ns%2fpod/endpoint/eth0':
        '{"state":"active","name":"cali1","mac":null,"profile_ids":null,"ipv4_nets":["10.0.0.1/32"],"ipv6_nets":[]}',
    });
    expect(stored('hostEndpoint', { node: 'n', name: 'eth0' }, { expectedIPs: ['1.2.3.4'] })).toEqual({
      '/calico/v1/host/n/endpoint/eth0': '{"expected_ipv4_addrs":["1.2.3.4"]}',
    });
  });
});

describe('reading what others wrote', () => {
  const read = <K extends Kind>(kind: K, metadata: Metadata<K>, ...values: readonly (string | undefined)[]) =>
    decodeResource(kind, metadata, values);

  test('ignores unknown members, and takes the old forms of action and order', () => {
    const text = '{"order":"default","inbound_rules":[{"action":"","future":1}],"selector":"","x":{}}';
    expect(read('policy', { name: 'p' }, text)).toMatchObject({
      ok: true,
      resource: { spec: { selector: '', ingress: [{ action: 'allow', source: {}, destination: {} }] } },
    });
  });

  test('takes null for lists, and a number for a number in text', () => {
    const metadata = { node: 'n', orchestrator: 'o', workload: 'w', name: 'e' };
    const text = '{"name":"cali1","mac":null,"profile_ids":null,"ipv4_nets":null,"labels":null}';
    expect(read('workloadEndpoint', metadata, text)).toEqual({
      ok: true,
      resource: { apiVersion: 'v1', kind: 'workloadEndpoint', metadata, spec: { interfaceName: 'cali1' } },
    });
    const peer = { scope: 'global', peerIP: '1.2.3.4' } as const;
    expect(read('bgpPeer', peer, '{"ip":"1.2.3.4","as_num":65000}')).toMatchObject({
      resource: { spec: { asNumber: 65000 } },
    });
  });

  test.for([
    ['no JSON', 'policy', '{"order":'],
    ['another type', 'policy', '[]'],
    ['a rule that is no object', 'policy', '{"inbound_rules":[1]}'],
    ['an unknown action', 'policy', '{"inbound_rules":[{"action":"maybe"}]}'],
    ['rules that are no list', 'policy', '{"inbound_rules":{}}'],
  ] as const)('says what is wrong with a value that is %s', ([, kind, text]) => {
    const decoded = read(kind, { name: 'p' }, text);
    expect(decoded).toMatchObject({ ok: false, problem: expect.stringMatching(/./) });
  });

  test('knows no owner for other tiers, status, half keys and foreign keys', () => {
    for (const key of [
      '/calico/v1/policy/tier/other/policy/x',
      '/calico/felix/v1/host/n/status',
      '/calico/v1/host//endpoint/x',
      '/calico/v1/host/n/endpoint/x/y',
      '/calico/bgp/v1/global/rr_v4/1.2.3.4',
      '/calico/bgp/v1/global/peer_v4/fd00::1',
      '/calico/v1/Ready',
      'x',
    ]) {
      expect(ownerOf(key)).toBeUndefined();
    }
  });
});

describe('a setting', () => {
  test.for([
    [{ component: 'felix', name: 'ClusterGUID' }, '/calico/v1/config/ClusterGUID'],
    [{ component: 'felix', node: 'a%/b', name: 'marker' }, '/calico/v1/host/a%25%2fb/config/marker'],
    [{ component: 'bgp', name: 'as_num' }, '/calico/bgp/v1/global/as_num'],
    [{ component: 'bgp', node: 'n', name: 'loglevel' }, '/calico/bgp/v1/host/n/loglevel'],
    [{ component: 'bgp', name: 'custom_filters/v4/x' }, '/calico/bgp/v1/global/custom_filters/v4/x'],
  ] as const)('lies where the v1 layout has it: %o', ([setting, key]) => {
    expect(settingKey(setting)).toBe(key);
    expect(settingOf(key)).toEqual(setting);
    expect(ownerOf(key)).toBeUndefined();
  });
});

function singles(metadata: Readonly<Record<string, unknown>> | object): readonly object[] {
  return Object.entries(metadata).map(([name, value]) => ({ [name]: value as unknown }));
}
