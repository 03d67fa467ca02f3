import { describe, expect, test } from 'vitest';
import { isCalicoError } from '../base/index.js';
import type { Issue } from '../base/index.js';
import { readTopology } from './read-topology.js';

function issuesOf(value: unknown): readonly Issue[] {
  try {
    readTopology(value);
  } catch (error) {
    if (isCalicoError(error, 'invalid')) return error.issues;
    throw error;
  }
  return [];
}

const hosts = [{ name: 'a' }];

describe('a topology file', () => {
  test('names hosts, their workloads and the labels of these', () => {
    const value = {
      hosts: [{ name: 'a', workloads: [{ name: 'web', labels: { app: 'web', tier: 1 } }] }, { name: 'b' }],
    };
    expect(readTopology(value).hosts).toEqual([
      { name: 'a', workloads: [{ name: 'web', labels: { app: 'web', tier: '1' } }] },
      { name: 'b', workloads: [] },
    ]);
  });

  test('may have networks, routers with a BGP daemon, a datastore, and resources', () => {
    const value = {
      datastore: 'etcd',
      networks: [{ name: 'rack1', ipv4: '192.0.2.0/24' }, { name: 'rack2' }],
      routers: [{ name: 'spine', networks: ['rack1', 'rack2'], bgp: { asNumber: 65_001 } }],
      hosts: [{ name: 'a', network: 'rack2' }],
      resources: [{ apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.1.0.0/16' } }],
    };
    const read = readTopology(value);
    expect(read).toMatchObject({ datastore: 'etcd', networks: value.networks });
    expect(read.routers?.[0]?.bgp).toEqual({
      daemon: 'bird',
      asNumber: '65001',
      routeReflector: false,
      announces: [],
    });
    expect(read.resources?.map(({ kind }) => kind)).toEqual(['ipPool']);
  });

  test('is refused with the place, the value and the expectation of each fault, all at once', () => {
    const value = { hosts: [{ nam: 'a', workloads: [{ name: [3], labels: { x: {} } }] }] };
    expect(issuesOf(value)).toEqual([
      {
        path: 'hosts[0].nam',
        value: '"a"',
        expected: 'one of the fields name, network, workloads (did you mean name?)',
      },
      { path: 'hosts[0].name', value: 'nothing', expected: 'a name' },
      { path: 'hosts[0].workloads[0].name', value: '[3]', expected: 'a name' },
      { path: 'hosts[0].workloads[0].labels.x', value: '{}', expected: 'a text' },
    ]);
    expect(() => readTopology(null)).toThrow('the topology is nothing: expected a map with datastore,');
    expect(() => readTopology({ hosts: 'many' })).toThrow('hosts is "many": expected a list');
  });

  test.each([
    [
      'two things of one name',
      { hosts: [{ name: 'a', workloads: [{ name: 'a' }] }] },
      'hosts[0].workloads[0].name',
      'a name of its own: hosts[0].name has this one',
    ],
    [
      'a name for a namespace that there is',
      { hosts: [{ name: 'fabric' }] },
      'hosts[0].name',
      'another name: the lab’s own switch has this one',
    ],
    [
      'a name that is no word',
      { hosts: [{ name: '../a' }] },
      'hosts[0].name',
      'lower-case letters, digits and -, at most 32, a letter first',
    ],
    ['no host', { hosts: [] }, 'hosts', '1 to 250 of them'],
    [
      'a network that there is not',
      { networks: [{ name: 'rack1' }], hosts: [{ name: 'a', network: 'rack' }] },
      'hosts[0].network',
      'one of rack1 (did you mean rack1?)',
    ],
    [
      'a host on none of two networks',
      { networks: [{ name: 'r1' }, { name: 'r2' }], hosts },
      'hosts[0].network',
      'one of r1, r2',
    ],
    [
      'a router on no network',
      { routers: [{ name: 'r' }], hosts },
      'routers[0].networks',
      'at least one network',
    ],
    [
      'a router twice on one',
      { routers: [{ name: 'r', networks: ['lan', 'lan'] }], hosts },
      'routers[0].networks[1]',
      'each network once',
    ],
    [
      'an AS number that is none',
      { routers: [{ name: 'r', networks: ['lan'], bgp: { asNumber: 0 } }], hosts },
      'routers[0].bgp.asNumber',
      'an AS number, 1 to 4294967295 or dotted',
    ],
    [
      'a daemon that there is not',
      { routers: [{ name: 'r', networks: ['lan'], bgp: { daemon: 'brid', asNumber: 1 } }], hosts },
      'routers[0].bgp.daemon',
      'one of bird, frr (did you mean bird?)',
    ],
    [
      'an address that is no network',
      { networks: [{ name: 'n', ipv4: 'fd00::/64' }], hosts },
      'networks[0].ipv4',
      'an IPv4 network in CIDR form',
    ],
    [
      'a network without room',
      { networks: [{ name: 'n', ipv4: '192.0.2.0/29' }], hosts },
      'networks[0].ipv4',
      'a network with 13 addresses or more',
    ],
    [
      'a network inside a pool',
      { networks: [{ name: 'n', ipv4: '10.65.3.0/24' }], hosts },
      'networks[0].ipv4',
      'a network that does not overlap the pool 10.65.0.0/16',
    ],
    [
      'two networks that overlap',
      {
        networks: [{ name: 'n' }, { name: 'm', ipv4: '172.30.1.0/24' }],
        hosts: [{ name: 'a', network: 'n' }],
      },
      'networks[1].ipv4',
      'a network that does not overlap network n',
    ],
    [
      'a datastore that there is not',
      { datastore: 'etcd3', hosts },
      'datastore',
      'one of sqlite, etcd (did you mean etcd?)',
    ],
  ])('is refused with %s', (_, value, path, expected) => {
    const issues = issuesOf(value);
    expect(issues.map(issue => ({ path: issue.path, expected: issue.expected }))).toEqual([
      { path, expected },
    ]);
  });

  test('is refused with what is wrong in its resources', () => {
    const resources = [
      { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.1.0.0/16' } },
      { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.2.0.0/99' } },
    ];
    expect(issuesOf({ hosts, resources })[0]).toMatchObject({
      path: 'resources[1].metadata.cidr',
      value: '"10.2.0.0/99"',
    });
  });
});
