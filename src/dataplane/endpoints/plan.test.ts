import { array, assert, constantFrom, integer, property, record, shuffledSubarray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LinkInfo, RouteInfo } from '../../netlink/index.js';
import type { Endpoint, EndpointId } from '../../policy/index.js';
import { Claims } from './claims.js';
import { Observed } from './observed.js';
import { GATEWAY_DESTINATION, planDestination, planInterface } from './plan.js';
import type { Done } from './plan.js';

const idOf = (text: string): EndpointId => text as EndpointId;

function endpoint(name: string, fields: Partial<Endpoint> = {}): Endpoint {
  return {
    id: idOf(name),
    kind: 'workload',
    node: 'host',
    labels: {},
    profiles: [],
    addresses: ['10.0.0.1'],
    interfaceName: `cali${name}`,
    adminUp: true,
    ...fields,
  };
}

function link(index: number, name: string, fields: Partial<LinkInfo> = {}): LinkInfo {
  return { index, name, mac: '', mtu: 1500, up: true, running: true, kind: 'veth', ...fields };
}

function route(destination: string, interfaceIndex: number, fields: Partial<RouteInfo> = {}): RouteInfo {
  return {
    destination,
    interfaceIndex,
    gateway: undefined,
    protocol: 80,
    scope: 253,
    table: 254,
    type: 'unicast',
    metric: 0,
    ...fields,
  };
}

const lo = link(1, 'lo', { kind: undefined });
const nothingDone: Done = {
  configured: new Map(),
  proxies: new Map(),
  holders: new Map(),
  neighbours: new Map(),
};

function world(
  endpoints: readonly Endpoint[],
  links: readonly LinkInfo[],
  routes: readonly RouteInfo[] = [],
  done: Partial<Done> = {},
) {
  const claims = new Claims({ interfacePrefixes: ['cali'], ipv6: true });
  for (const each of endpoints) claims.update(each.id, each);
  const observed = new Observed(80);
  observed.reset(links, routes);
  return { claims, observed, done: { ...nothingDone, ...done }, now: 0 };
}

describe('the plan for a host route', () => {
  test('is to set it and the neighbour when the interface is up, with or without a carrier', () => {
    const up = link(5, 'calia', { running: false });
    const plan = planDestination(world([endpoint('a', { mac: '02:00:00:00:00:01' })], [up]), '10.0.0.1/32');
    expect(plan).toEqual({
      removals: [],
      released: false,
      additions: [
        { kind: 'set-route', destination: '10.0.0.1/32', link: up },
        { kind: 'set-neighbour', destination: '10.0.0.1/32', link: up, mac: '02:00:00:00:00:01' },
      ],
    });
  });

  test('is nothing when it is in place, the interface is missing or down, or the endpoint switched off', () => {
    const nothing = { removals: [], released: false, additions: [] };
    const up = link(5, 'calia');
    const inPlace = [route('10.0.0.1/32', 5)];
    expect(planDestination(world([endpoint('a')], [up], inPlace), '10.0.0.1/32')).toEqual(nothing);
    expect(planDestination(world([endpoint('a')], []), '10.0.0.1/32')).toEqual(nothing);
    const down = link(5, 'calia', { up: false });
    expect(planDestination(world([endpoint('a')], [down]), '10.0.0.1/32')).toEqual(nothing);
    expect(planDestination(world([endpoint('a', { adminUp: false })], [up]), '10.0.0.1/32')).toEqual(nothing);
  });

  test('is to replace it when it moves with its endpoint, and to take it away first when it changes hands', () => {
    const links = [link(5, 'calia'), link(6, 'calib')];
    const old = route('10.0.0.1/32', 5);
    const set = { kind: 'set-route', destination: '10.0.0.1/32', link: links[1] };
    const remove = { kind: 'delete-route', route: old };
    const moves = world([endpoint('x', { interfaceName: 'calib' })], links, [old], {
      holders: new Map([['10.0.0.1/32', idOf('x')]]),
    });
    expect(planDestination(moves, '10.0.0.1/32')).toEqual({
      removals: [],
      released: false,
      additions: [set, remove],
    });
    const changes = world([endpoint('b')], links, [old], { holders: new Map([['10.0.0.1/32', idOf('a')]]) });
    expect(planDestination(changes, '10.0.0.1/32')).toEqual({
      removals: [remove],
      released: true,
      additions: [set],
    });
  });

  test('is to remove it when nobody claims it, but only from an interface of ours', () => {
    const links = [lo, link(5, 'calia'), link(6, 'eth0')];
    const routes = [route('10.0.0.7/32', 5), route('10.0.0.8/32', 6), route('10.0.0.9/32', 99)];
    const planned = ['10.0.0.7/32', '10.0.0.8/32', '10.0.0.9/32'].map(
      destination => planDestination(world([], links, routes), destination).removals,
    );
    expect(planned).toEqual([[{ kind: 'delete-route', route: routes[0] }], [], []]);
  });

  test('is to leave it while a plugin may just be setting up an endpoint that we have not heard of', () => {
    const young = world([], []);
    young.observed.note({ kind: 'link', link: link(5, 'calia') }, 1000);
    young.observed.note({ kind: 'route', route: route('10.0.0.7/32', 5), replaces: false }, 1000);
    const removals = (now: number) => planDestination({ ...young, now }, '10.0.0.7/32').removals.length;
    expect([removals(1000), removals(10_999), removals(11_000)]).toEqual([0, 0, 1]);
  });
});

describe('the loopback route to the gateway', () => {
  const defaultRoute = route('0.0.0.0/0', 6, { protocol: 3, gateway: '192.0.2.1' });
  const links = [lo, link(5, 'calia'), link(6, 'eth0')];
  const set = { kind: 'set-route', destination: GATEWAY_DESTINATION, link: lo };

  test('is there while there are workloads and no default route', () => {
    const plan = (endpoints: readonly Endpoint[], routes: readonly RouteInfo[]) =>
      planDestination(world(endpoints, links, routes), GATEWAY_DESTINATION);
    expect(plan([endpoint('a')], []).additions).toEqual([set]);
    expect(plan([endpoint('a')], [defaultRoute]).additions).toEqual([]);
    expect(plan([], []).additions).toEqual([]);
    const present = route(GATEWAY_DESTINATION, 1);
    const removal = [{ kind: 'delete-route', route: present }];
    expect(plan([endpoint('a')], [present])).toEqual({ removals: [], released: false, additions: [] });
    expect(plan([endpoint('a')], [present, defaultRoute])).toMatchObject({
      removals: removal,
      released: false,
    });
    expect(plan([], [present])).toMatchObject({ removals: removal, released: false });
  });

  test('comes when the link of the default route goes down, of which the kernel says nothing more', () => {
    const all = world([endpoint('a')], links, [defaultRoute]);
    const change = all.observed.note({ kind: 'link', link: link(6, 'eth0', { up: false }) }, 0);
    expect([...change.destinations]).toEqual(['0.0.0.0/0']);
    expect(planDestination(all, GATEWAY_DESTINATION).additions).toEqual([set]);
  });
});

describe("the plan for an interface's settings", () => {
  test('is to make them once for each interface that has an endpoint and a name of ours', () => {
    const links = [link(5, 'calia'), link(6, 'calib'), link(7, 'eth0')];
    const endpoints = [endpoint('a'), endpoint('x', { interfaceName: 'eth0' })];
    const planned = (done: Partial<Done>) =>
      ['calia', 'calib', 'eth0', 'calic'].flatMap(name =>
        planInterface(world(endpoints, links, [], done), name),
      );
    expect(planned({})).toEqual([{ kind: 'configure-link', link: links[0] }]);
    expect(planned({ configured: new Map([['calia', 5]]) })).toEqual([]);
    expect(planned({ configured: new Map([['calia', 4]]) })).toHaveLength(1);
  });
});

describe('who holds an address', () => {
  const names = ['a', 'b', 'c'];
  const update = record({
    name: constantFrom(...names),
    addresses: shuffledSubarray(['10.0.0.1', '10.0.0.2', 'fd00::1']),
    state: constantFrom('up', 'off', 'gone'),
  });

  test('depends on what there is now, never on the way there', () => {
    assert(
      property(array(update, { maxLength: 30 }), updates => {
        const walked = new Claims({ interfacePrefixes: ['cali'], ipv6: true });
        const last = new Map<string, Endpoint | undefined>();
        for (const { name, addresses, state } of updates) {
          const next = state === 'gone' ? undefined : endpoint(name, { addresses, adminUp: state === 'up' });
          walked.update(idOf(name), next);
          last.set(name, next);
        }
        const expected = (address: string) =>
          names.find(name => {
            const each = last.get(name);
            return each?.adminUp === true && each.addresses.includes(address);
          });
        for (const address of ['10.0.0.1', '10.0.0.2', 'fd00::1']) {
          const destination = `${address}/${address.includes(':') ? '128' : '32'}`;
          expect(walked.holder(destination)?.id).toBe(expected(address));
        }
        expect(new Set(walked.destinations()).size).toBe(
          new Set([...last.values()].flatMap(each => (each?.adminUp === true ? each.addresses : []))).size,
        );
      }),
    );
  });
});

describe('what is known of the kernel', () => {
  const index = integer({ min: 5, max: 7 });
  const destination = constantFrom('10.0.0.1/32', '10.0.0.2/32');

  test('is the same after events as after a reading of what they led to', () => {
    const step = record({ kind: constantFrom('replace', 'delete', 'foreign'), destination, index });
    const links = [lo, link(5, 'cali5'), link(6, 'cali6'), link(7, 'cali7')];
    assert(
      property(array(step, { maxLength: 40 }), steps => {
        const followed = new Observed(80);
        followed.reset(links, []);
        const kernel = new Map<string, RouteInfo>();
        for (const { kind, destination: to, index: at } of steps) {
          const before = kernel.get(to);
          if (kind === 'delete') {
            kernel.delete(to);
            if (before !== undefined) followed.note({ kind: 'route-gone', route: before }, 0);
          } else {
            const next = route(to, at, kind === 'foreign' ? { protocol: 4 } : {});
            kernel.set(to, next);
            followed.note({ kind: 'route', route: next, replaces: before !== undefined }, 0);
          }
        }
        const read = new Observed(80);
        read.reset(links, [...kernel.values()]);
        for (const to of ['10.0.0.1/32', '10.0.0.2/32']) {
          expect(followed.routesTo(to)).toEqual(read.routesTo(to));
        }
      }),
    );
  });

  test('leaves routes of other protocols, tables, types and sizes alone', () => {
    const observed = new Observed(80);
    observed.reset(
      [lo],
      [
        route('10.0.0.1/32', 1, { protocol: 3 }),
        route('10.0.0.2/32', 1, { table: 255 }),
        route('10.0.0.3/32', 1, { gateway: '10.0.0.9' }),
        route('10.0.0.4/32', 1, { type: 'blackhole' }),
        route('10.0.0.0/26', 1),
      ],
    );
    expect([...observed.destinations()]).toEqual([]);
  });

  test('forgets the old name of an interface that was renamed, and the routes of one that went', () => {
    const observed = new Observed(80);
    observed.reset([link(5, 'calia')], [route('10.0.0.1/32', 5)]);
    const renamed = observed.note({ kind: 'link', link: link(5, 'calib') }, 0);
    expect([...renamed.interfaces].sort()).toEqual(['calia', 'calib']);
    expect([observed.link('calia'), observed.link('calib')?.index]).toEqual([undefined, 5]);
    const gone = observed.note({ kind: 'link-gone', link: link(5, 'calib') }, 0);
    expect([[...gone.interfaces], [...gone.destinations]]).toEqual([['calib'], ['10.0.0.1/32']]);
    expect(observed.routesTo('10.0.0.1/32')).toEqual([]);
  });
});
