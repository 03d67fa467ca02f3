import { describe, expect, test } from 'vitest';
import { linksNamed, linksOf, placeNamed } from './place.js';
import { planLab } from './plan.js';
import { plainTopology } from './topology.js';
import type { LabTopology } from './topology.js';
import { underlayRoutes } from './underlay.js';

describe('the plan of a lab', () => {
  test('gives every host and workload a namespace under the lab name, and every host an address of its own', () => {
    const plan = planLab('demo', plainTopology(3, 2));
    const places = plan.hosts.flatMap(host => [
      host.netns,
      ...host.workloads.map(workload => workload.netns),
    ]);
    expect(places).toHaveLength(9);
    expect(new Set(places).size).toBe(9);
    expect(places.every(netns => netns.startsWith('demo-'))).toBe(true);
    expect(plan.hosts.map(host => host.ipv4)).toEqual(['172.30.0.11', '172.30.0.12', '172.30.0.13']);
    expect(plan.hosts[2]?.ipv6).toBe('fd30:ca11::d');
  });

  test('is the same every time, so that a second run finds what the first one built', () => {
    expect(planLab('demo', plainTopology(2, 1))).toEqual(planLab('demo', plainTopology(2, 1)));
  });

  test.each([
    ['a/b', 'name is "a/b"'],
    ['', 'name is ""'],
    ['a'.repeat(40), 'at most 32'],
  ])('refuses the name %j', (name, message) => {
    expect(() => planLab(name, plainTopology(1, 1))).toThrow(message);
  });

  test('finds places by name and lists them when there is none of that name', () => {
    const plan = planLab('demo', plainTopology(1, 1));
    expect(placeNamed(plan, 'host1-w1')).toMatchObject({ kind: 'workload', netns: 'demo-host1-w1' });
    expect(() => placeNamed(plan, 'host9')).toThrow('it has host1, host1-w1; did you mean host1?');
  });
});

describe('the plan of a lab with routers', () => {
  /** rack1 ─ leaf1 ─ core ─ leaf2 ─ rack2 */
  const topology: LabTopology = {
    networks: [{ name: 'rack1' }, { name: 'rack2' }, { name: 'core1' }, { name: 'core2' }],
    routers: [
      { name: 'leaf1', networks: ['rack1', 'core1'] },
      { name: 'core', networks: ['core1', 'core2'] },
      { name: 'leaf2', networks: ['core2', 'rack2'] },
    ],
    hosts: [
      { name: 'a', network: 'rack1', workloads: [] },
      { name: 'b', network: 'rack2', workloads: [] },
    ],
  };
  const plan = planLab('racks', topology);

  test('makes the first router of a network the way out of its hosts', () => {
    expect(plan.networks.map(({ name, gateway }) => [name, gateway.ipv4, gateway.isRouter])).toEqual([
      ['rack1', '172.30.0.1', true],
      ['rack2', '172.30.4.1', true],
      ['core1', '172.30.8.1', true],
      ['core2', '172.30.12.1', true],
    ]);
    expect(plan.routers[1]?.links.map(({ device, ipv4 }) => [device, ipv4])).toEqual([
      ['eth0', '172.30.8.2'],
      ['eth1', '172.30.12.1'],
    ]);
  });

  test('gives each router the shortest way to every network that it is not on', () => {
    const ways = plan.routers.map(router =>
      underlayRoutes(plan, router).map(({ ipv4, via }) => `${ipv4} via ${via.ipv4}`),
    );
    expect(ways).toEqual([
      ['172.30.4.0/22 via 172.30.8.2', '172.30.12.0/22 via 172.30.8.2'],
      ['172.30.0.0/22 via 172.30.8.1', '172.30.4.0/22 via 172.30.12.2'],
      ['172.30.0.0/22 via 172.30.12.1', '172.30.8.0/22 via 172.30.12.1'],
    ]);
  });

  test('names a link after its host, or its router and network', () => {
    expect(linksOf(plan).map(({ name }) => name)).toEqual([
      'a',
      'b',
      'leaf1:rack1',
      'leaf1:core1',
      'core:core1',
      'core:core2',
      'leaf2:core2',
      'leaf2:rack2',
    ]);
    expect(new Set(linksOf(plan).map(({ port }) => port)).size).toBe(8);
    expect(linksNamed(plan, 'core')).toHaveLength(2);
    expect(() => linksNamed(plan, 'core:rack1')).toThrow("no link 'core:rack1' in lab racks: it has a, b,");
  });
});
