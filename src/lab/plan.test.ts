import { describe, expect, test } from 'vitest';
import { placeNamed, plainTopology, planLab } from './plan.js';

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
    ['a/b', "lab name 'a/b'"],
    ['', "lab name ''"],
    ['a'.repeat(40), 'at most 32'],
  ])('refuses the name %j', (name, message) => {
    expect(() => planLab(name, plainTopology(1, 1))).toThrow(message);
  });

  test('refuses a name that is used twice', () => {
    const host = { name: 'a', workloads: [{ name: 'a', labels: {} }] };
    expect(() => planLab('demo', { hosts: [host] })).toThrow("name 'a' is used twice");
  });

  test('finds places by name and lists them when there is none of that name', () => {
    const plan = planLab('demo', plainTopology(1, 1));
    expect(placeNamed(plan, 'host1-w1')).toMatchObject({ kind: 'workload', netns: 'demo-host1-w1' });
    expect(() => placeNamed(plan, 'host9')).toThrow('it has host1, host1-w1');
  });
});
