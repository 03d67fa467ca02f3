import { describe, expect, test } from 'vitest';
import type { BlockRoutes } from '../../ipam/index.js';
import type { RouteInfo } from '../../netlink/index.js';
import { parseCidr } from '../../net/index.js';
import { diffRoutes } from './diff.js';
import { planTunnelRoutes, planVxlanEnds } from './plan.js';
import type { TunnelPool, TunnelSource } from './plan.js';
import { vxlanMac } from './tunnel-devices.js';
import type { TunnelDevice } from './tunnel-devices.js';
import { uplinkOf } from './uplink.js';

const SUBNETS = ['172.30.1.0/24', 'fd30:1::/64'].flatMap(text => parseCidr(text) ?? []);
const POOL: TunnelPool = { cidr: '10.64.0.0/16', encapsulation: 'ipip', mode: 'always' };
const POOL6: TunnelPool = { cidr: 'fd64::/48', encapsulation: 'vxlan', mode: 'cross-subnet' };

function block(cidr: string, node: string | undefined, change: Partial<BlockRoutes> = {}): BlockRoutes {
  return { cidr, version: 4, node, confirmed: true, borrowed: [], ...change };
}

function source(change: Partial<TunnelSource> = {}): TunnelSource {
  return {
    nodeName: 'own',
    nodes: new Map([
      ['own', { 4: '172.30.1.1', 6: 'fd30:1::1' }],
      ['near', { 4: '172.30.1.2', 6: 'fd30:1::2' }],
      ['far', { 4: '172.30.2.1', 6: 'fd30:2::1' }],
    ]),
    pools: [POOL],
    blocks: [],
    tunnelAddresses: new Map(),
    vxlan: { vni: 4096, port: 4789, mtu: {} },
    ...change,
  };
}

/** `<destination> <kind> <gateway>` in the order of the plan. */
function planned(change: Partial<TunnelSource>): readonly string[] {
  return [...planTunnelRoutes(source(change), SUBNETS).values()].map(
    each => `${each.destination} ${each.kind}${'gateway' in each ? ` ${each.gateway}` : ''}`,
  );
}

describe('the routes of an encapsulated pool', () => {
  test('lead to the owners of blocks, and end at the host for its own', () => {
    const blocks = [
      block('10.64.1.0/26', 'own'),
      block('10.64.2.0/26', 'near'),
      block('10.64.3.0/26', 'far'),
    ];
    expect(planned({ blocks })).toEqual([
      '10.64.1.0/26 blackhole',
      '10.64.2.0/26 tunnel 172.30.1.2',
      '10.64.3.0/26 tunnel 172.30.2.1',
    ]);
  });

  test('go without the tunnel to hosts of the own subnet where the pool says cross-subnet', () => {
    const blocks = [block('10.64.2.0/26', 'near'), block('10.64.3.0/26', 'far')];
    expect(planned({ blocks, pools: [{ ...POOL, mode: 'cross-subnet' }] })).toEqual([
      '10.64.2.0/26 direct 172.30.1.2',
      '10.64.3.0/26 tunnel 172.30.2.1',
    ]);
  });

  test('lead to where a borrowed address lives, also for a block that lost its owner', () => {
    const borrowed = [
      { address: '10.64.1.5', node: 'far' },
      { address: '10.64.1.6', node: 'own' },
    ];
    const blocks = [
      block('10.64.1.0/26', 'own', { borrowed }),
      block('10.64.2.0/26', undefined, { borrowed: [{ address: '10.64.2.9', node: 'near' }] }),
    ];
    expect(planned({ blocks })).toEqual([
      '10.64.1.0/26 blackhole',
      '10.64.1.5/32 tunnel 172.30.2.1',
      '10.64.2.9/32 tunnel 172.30.1.2',
    ]);
  });

  test.each([
    ['the claim is not completed', { blocks: [block('10.64.2.0/26', 'near', { confirmed: false })] }],
    ['the block is in no such pool', { blocks: [block('10.65.2.0/26', 'near')] }],
    ['the owner has no address', { blocks: [block('10.64.2.0/26', 'gone')] }],
    ['this node has no address', { nodes: new Map([['near', { 4: '172.30.1.2' }]]) }],
    [
      'the pool is IPv6, which IP-in-IP does not carry',
      {
        pools: [{ ...POOL, cidr: 'fd64::/48' }],
        blocks: [block('fd64::40/122', 'near', { version: 6 })],
      },
    ],
  ])('are none where %s', (_case, change: Partial<TunnelSource>) => {
    expect(planned({ blocks: [block('10.64.2.0/26', 'near')], ...change })).toEqual([]);
  });

  test('of IPv6 lead through a VXLAN device of their own, or straight to the hosts of the subnet', () => {
    const blocks = [
      block('fd64::/122', 'own', { version: 6 }),
      block('fd64::40/122', 'near', { version: 6 }),
      block('fd64::80/122', 'far', { version: 6, borrowed: [{ address: 'fd64::81', node: 'near' }] }),
    ];
    expect(planned({ blocks, pools: [POOL, POOL6] })).toEqual([
      'fd64::/122 blackhole',
      'fd64::40/122 direct fd30:1::2',
      expect.stringMatching(/^fd64::80\/122 tunnel fe80::64[0-9a-f:]+$/),
      'fd64::81/128 direct fd30:1::2',
    ]);
  });

  test('through a VXLAN need to know the Ethernet address of the other ends, which their names give', () => {
    const routes = planTunnelRoutes(
      source({
        blocks: [block('10.64.2.0/26', 'near'), block('10.64.3.0/26', 'far')],
        pools: [{ ...POOL, encapsulation: 'vxlan', mode: 'cross-subnet' }],
      }),
      SUBNETS,
    );
    const mac = vxlanMac('far');
    expect(mac).toMatch(/^66(:[0-9a-f]{2}){5}$/);
    expect(mac).not.toBe(vxlanMac('near'));
    expect([...planVxlanEnds(routes, 'vxlan.calico').values()]).toEqual([
      { host: '172.30.2.1', gateway: '172.30.2.1', mac },
    ]);
    expect(planVxlanEnds(routes, 'vxlan-v6.calico').size).toBe(0);
  });

  test('end packets to a block of one address nowhere: its workload has the route', () => {
    expect(planned({ blocks: [block('10.64.1.7/32', 'own')] })).toEqual([]);
  });
});

const TUNNEL = 7;
const READY: ReadonlyMap<TunnelDevice, number> = new Map([['tunl0', TUNNEL]]);

function route(destination: string, change: Partial<RouteInfo> = {}): RouteInfo {
  return {
    destination,
    gateway: '172.30.1.2',
    interfaceIndex: TUNNEL,
    protocol: 80,
    scope: 0,
    table: 254,
    type: 'unicast',
    metric: 0,
    ...change,
  };
}

describe('the kernel is brought in line', () => {
  const blocks = [block('10.64.1.0/26', 'own'), block('10.64.2.0/26', 'near')];
  const wanted = planTunnelRoutes(source({ blocks }), SUBNETS);
  const own = route('10.64.1.0/26', { type: 'blackhole', gateway: undefined, interfaceIndex: undefined });
  const near = route('10.64.2.0/26');

  function changes(routes: readonly RouteInfo[]): object {
    const { set, remove, taken } = diffRoutes(wanted, routes, READY);
    return {
      set: set.map(({ destination }) => destination),
      remove: remove.map(({ destination }) => destination),
      taken,
    };
  }

  test('by nothing where it is so already', () => {
    expect(changes([own, near])).toEqual({ set: [], remove: [], taken: [] });
  });

  test('by what is missing, leads elsewhere, or is no longer wanted', () => {
    expect(changes([route('10.64.2.0/26', { gateway: '172.30.1.9' }), route('10.64.9.0/26')])).toEqual({
      set: ['10.64.1.0/26', '10.64.2.0/26'],
      remove: ['10.64.9.0/26'],
      taken: [],
    });
  });

  test('by a new route where one goes past the tunnel', () => {
    expect(changes([own, route('10.64.2.0/26', { interfaceIndex: 2 })])).toMatchObject({
      set: ['10.64.2.0/26'],
    });
  });

  test('without routes of others: of BIRD, of workloads, of other tables', () => {
    const foreign = [
      route('10.64.8.0/26', { protocol: 12, metric: 32 }),
      route('10.64.1.3/32', { gateway: undefined, interfaceIndex: 3, scope: 253 }),
      route('10.64.8.64/26', { table: 100 }),
      route('fd00::/64'),
    ];
    expect(changes([own, near, ...foreign])).toEqual({ set: [], remove: [], taken: [] });
  });

  test('not over the route of a workload that is still here', () => {
    const local = route('10.64.2.0/26', { gateway: undefined, interfaceIndex: 3, scope: 253 });
    expect(changes([own, local])).toEqual({ set: [], remove: [], taken: ['10.64.2.0/26'] });
  });

  test('but for what needs the tunnel, while there is none', () => {
    expect(diffRoutes(wanted, [], new Map()).set).toEqual([
      { kind: 'blackhole', destination: '10.64.1.0/26' },
    ]);
  });
});

describe('the subnet of a node', () => {
  const addresses = [
    { interfaceIndex: 1, address: '127.0.0.1/8', scope: 254 },
    { interfaceIndex: 2, address: '172.30.1.1/24', scope: 0 },
    { interfaceIndex: 3, address: '172.30.9.1/32', scope: 0 },
    { interfaceIndex: 2, address: 'fd30::1/64', scope: 0 },
  ];

  test.each([
    ['172.30.1.1', 2, ['172.30.1.0/24']],
    ['172.30.9.1', 3, []],
    ['fd30::1', 2, ['fd30::/64']],
    ['172.30.5.5', undefined, []],
  ])('is that of the link which has %s', (address, index, subnets) => {
    expect(uplinkOf(addresses, address)).toEqual({
      index,
      subnets: subnets.flatMap(text => parseCidr(text) ?? []),
    });
  });
});
