import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import type { BgpSource } from '../../src/bgp/index.js';
import { parseCidr } from '../../src/net/index.js';
import { configOf, createBirdNodes, untilRoutes } from '../support/bird-nodes.js';
import type { BirdNode, BirdNodes } from '../support/bird-nodes.js';
import { eventually } from '../support/netns.js';

const SUBNETS = ['172.31.9.0/24'].flatMap(text => parseCidr(text) ?? []);
const MESH_OFF = new Map([['node_mesh', '{"enabled":false}']]);

/** A router that is no node: what it is told goes into its kernel, several ways as several next hops. */
function routerConfig(sessions: readonly string[]): string {
  return [
    'router id 172.31.9.3;',
    'timeformat protocol iso short;',
    'protocol device { scan time 2; }',
    'protocol direct links { ipv4; interface "eth*"; }',
    'protocol kernel kernel4 { scan time 2; merge paths on; ipv4 { import none; export where source = RTS_BGP; }; }',
    'template bgp node { connect delay time 1; ipv4 { import all; export where source = RTS_BGP; add paths on; }; }',
    ...sessions,
    '',
  ].join('\n');
}

describe('a router that is no node of the cluster', () => {
  let cluster: BirdNodes;
  let a: BirdNode;
  let b: BirdNode;
  let router: BirdNode;

  beforeAll(async () => {
    cluster = await createBirdNodes(['a', 'b', 'router', 'far']);
    const [first, second, third] = cluster.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error('four hosts');
    [a, b, router] = [first, second, third];
  });

  afterAll(async () => {
    await cluster.remove();
  });

  const nodes = ['a', 'b'].map((name, i) => ({
    metadata: { name },
    spec: { bgp: { ipv4Address: `172.31.9.${String(i + 1)}` } },
  }));
  const blocks = [
    { cidr: '10.65.1.0/26', node: 'a', confirmed: true },
    { cidr: '10.65.2.0/26', node: 'b', confirmed: true },
    { cidr: '10.65.4.0/26', node: 'far', confirmed: true },
  ];
  const source = (nodeName: string, change: Partial<BgpSource> = {}): BgpSource => ({
    nodeName,
    nodes,
    peers: [],
    pools: [{ metadata: { cidr: '10.65.0.0/16' } }],
    blocks,
    settings: new Map(),
    ...change,
  });
  const outside = (scope: string): BgpSource['peers'] => [
    {
      metadata: { scope, node: scope === 'node' ? 'a' : undefined, peerIP: '172.31.9.3' },
      spec: { asNumber: 65_001 },
    },
  ];
  const session = (name: string, address: string, asNumber: number, more = ''): string =>
    `protocol bgp ${name} from node { local as 65001; neighbor ${address} as ${String(asNumber)}; ${more} }`;

  async function pathsOf(node: BirdNode, block: string): Promise<readonly string[]> {
    // Without a route it says so, with exit 1.
    const { stdout } = await runProgram('birdcl', ['-r', '-s', node.socket, 'show', 'route', block, 'all']);
    return [...stdout.matchAll(/BGP\.next_hop: (\S+)/g)].map(([, address = '']) => address);
  }

  test('of another AS hears of each block once, from its owner, when all nodes peer with it', async () => {
    const peers = outside('global');
    await router.daemon.apply(routerConfig([session('n1', a.ipv4, 64_512), session('n2', b.ipv4, 64_512)]));
    await a.daemon.apply(configOf(source('a', { peers })));
    await b.daemon.apply(configOf(source('b', { peers })));
    await untilRoutes(router, ['10.65.1.0/26 172.31.9.1', '10.65.2.0/26 172.31.9.2']);
    await untilRoutes(a, ['10.65.1.0/26 blackhole', '10.65.2.0/26 172.31.9.2']);
    expect(await pathsOf(router, '10.65.1.0/26')).toEqual(['172.31.9.1']);
    expect(await pathsOf(router, '10.65.2.0/26')).toEqual(['172.31.9.2']);
  });

  test('of another AS hears of all blocks from its only peer, with the owner as next hop on the same subnet', async () => {
    const peers = outside('node');
    await b.daemon.apply(configOf(source('b')));
    await a.daemon.apply(configOf(source('a', { peers, ownSubnets: SUBNETS })));
    await eventually(
      'b tells the router nothing',
      async () => (await pathsOf(router, '10.65.2.0/26')).length === 1,
    );
    await untilRoutes(router, ['10.65.1.0/26 172.31.9.1', '10.65.2.0/26 172.31.9.2']);
    expect(await pathsOf(router, '10.65.2.0/26')).toEqual(['172.31.9.2']);
  });

  test('of another AS goes through its only peer where the node does not know that they share a subnet', async () => {
    await a.daemon.apply(configOf(source('a', { peers: outside('node') })));
    await untilRoutes(router, ['10.65.1.0/26 172.31.9.1', '10.65.2.0/26 172.31.9.1']);
    expect(await pathsOf(router, '10.65.2.0/26')).toEqual(['172.31.9.1']);
  });

  describe('between two subnets', () => {
    const FAR = '172.31.8.1';
    const withFar = [...nodes, { metadata: { name: 'far' }, spec: { bgp: { ipv4Address: FAR } } }];

    beforeAll(async () => {
      // The far host leaves the common link: its only neighbour is the router.
      const { net } = cluster;
      await net.run('far', 'ip', 'link', 'del', 'eth0');
      await net.run(
        'router',
        'ip',
        'link',
        'add',
        'eth1',
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        net.path('far'),
      );
      await net.run('router', 'ip', 'address', 'add', '172.31.8.254/24', 'dev', 'eth1');
      await net.run('router', 'ip', 'link', 'set', 'eth1', 'up');
      await net.run('far', 'ip', 'address', 'add', `${FAR}/24`, 'dev', 'eth0');
      await net.run('far', 'ip', 'link', 'set', 'eth0', 'up');
    });

    test('is the way of mesh routes where it is the default router', async () => {
      const far = cluster.nodes[3];
      await cluster.net.run('a', 'ip', 'route', 'add', 'default', 'via', '172.31.9.3');
      await cluster.net.run('far', 'ip', 'route', 'add', 'default', 'via', '172.31.8.254');
      await a.daemon.apply(configOf(source('a', { nodes: withFar })));
      await far?.daemon.apply(configOf(source('far', { nodes: withFar })));
      await untilRoutes(a, ['10.65.1.0/26 blackhole', '10.65.2.0/26 172.31.9.2', '10.65.4.0/26 172.31.9.3']);
      expect(await pathsOf(a, '10.65.4.0/26')).toEqual([FAR]);
      await cluster.net.run('a', 'ip', 'route', 'del', 'default');
      await cluster.net.run('far', 'ip', 'route', 'del', 'default');
    });

    test('is the way of the routes that it reflects, without any default route', async () => {
      const far = cluster.nodes[3];
      const reflect = (name: string, address: string): string =>
        `protocol bgp ${name} from node { local as 64512; neighbor ${address} as 64512; direct; rr client; }`;
      await router.daemon.apply(routerConfig([reflect('n1', a.ipv4), reflect('n4', FAR)]));
      const peer = (peerIP: string): BgpSource['peers'] => [
        { metadata: { scope: 'global', peerIP }, spec: { asNumber: 64_512 } },
      ];
      const farSubnets = ['172.31.8.0/24'].flatMap(text => parseCidr(text) ?? []);
      const change = { nodes: withFar, settings: MESH_OFF };
      await a.daemon.apply(
        configOf(source('a', { ...change, peers: peer('172.31.9.3'), ownSubnets: SUBNETS })),
      );
      await far?.daemon.apply(
        configOf(source('far', { ...change, peers: peer('172.31.8.254'), ownSubnets: farSubnets })),
      );
      await untilRoutes(a, ['10.65.1.0/26 blackhole', '10.65.4.0/26 172.31.9.3']);
      await untilRoutes(router, ['10.65.1.0/26 172.31.9.1', '10.65.4.0/26 172.31.8.1']);
      // The path itself still names the true node.
      expect(await pathsOf(a, '10.65.4.0/26')).toEqual([FAR]);
    });
  });
});
