import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { bgpStateFrom, Gobgp } from '../../src/bgp/index.js';
import type { BgpSource, BlockSource } from '../../src/bgp/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { gobgpKernelRoutes } from '../../src/node/gobgp-kernel-routes.js';
import { configOf, createBirdNodes, note, untilRoutes } from '../support/bird-nodes.js';
import type { BirdNode, BirdNodes } from '../support/bird-nodes.js';
import { eventually } from '../support/netns.js';

const MESH_OFF = new Map([['node_mesh', '{"enabled":false}']]);
const BLOCKS: readonly BlockSource[] = [
  { cidr: '10.65.1.0/26', node: 'g', confirmed: true },
  { cidr: '10.65.2.0/26', node: 'b', confirmed: true, borrowed: [{ address: '10.65.2.9', node: 'g' }] },
  { cidr: 'fd65::100/122', node: 'g', confirmed: true },
  { cidr: 'fd65::200/122', node: 'b', confirmed: true },
];
const ROUTES_OF_G = [
  '10.65.1.0/26 blackhole',
  '10.65.2.0/26 172.31.9.2',
  'fd65::100/122 blackhole',
  'fd65::200/122 fd31:9::2',
];

describe('a host with GoBGP among hosts with BIRD', () => {
  let cluster: BirdNodes;
  let b: BirdNode;
  let network: HostNetwork;
  let folder: string;
  let gobgp: Gobgp;

  beforeAll(async () => {
    cluster = await createBirdNodes(['g', 'b']);
    const second = cluster.nodes[1];
    if (second === undefined) throw new Error('two nodes');
    b = second;
    network = await openHostNetwork({ netns: cluster.net.path('g') });
    folder = mkdtempSync(join(tmpdir(), 'calico-gobgp-'));
    gobgp = create();
  });

  afterAll(async () => {
    await gobgp.stop().catch(() => undefined);
    network.close();
    await cluster.remove();
    rmSync(folder, { recursive: true });
  });

  function create(): Gobgp {
    return new Gobgp({
      runDir: join(folder, 'run'),
      logDir: join(folder, 'log'),
      launchPrefix: ['nsenter', `--net=${cluster.net.path('g')}`, '--'],
      kernel: gobgpKernelRoutes(network),
      log: silentLogger,
      clock: systemClock,
    });
  }

  function source(nodeName: string, change: Partial<BgpSource> = {}): BgpSource {
    const nodes = cluster.nodes.map(({ name, ipv4, ipv6 }) => ({
      metadata: { name },
      spec: { bgp: { ipv4Address: ipv4, ipv6Address: ipv6 } },
    }));
    const pools = ['10.65.0.0/16', 'fd65::/48'].map(cidr => ({ metadata: { cidr } }));
    return { nodeName, nodes, peers: [], pools, blocks: BLOCKS, settings: new Map(), ...change };
  }

  async function applyBoth(change: Partial<BgpSource> = {}): Promise<void> {
    await Promise.all([
      gobgp.apply(bgpStateFrom(source('g', change)).state),
      b.daemon.apply(configOf(source('b', change))),
    ]);
  }

  async function routesOfG(): Promise<readonly string[]> {
    const lists = await Promise.all(
      ['-4', '-6'].map(
        async family => await cluster.net.ipJson('g', family, 'route', 'show', 'proto', 'bgp'),
      ),
    );
    return lists
      .flat()
      .map(({ dst, gateway, type }) => `${String(dst)} ${String(gateway ?? type)}`)
      .sort();
  }

  async function untilRoutesOfG(expected: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    await eventually('routes', async () => {
      last = await routesOfG();
      return last.join() === expected.join();
    }).catch((error: unknown) => {
      throw new Error(`g has ${last.join(', ')} instead of ${expected.join(', ')}`, { cause: error });
    });
  }

  const ROUTES_OF_B = [
    '10.65.1.0/26 172.31.9.1',
    '10.65.2.0/26 blackhole',
    '10.65.2.9 172.31.9.1',
    'fd65::100/122 fd31:9::1',
    'fd65::200/122 blackhole',
  ];

  test('exchanges blocks and borrowed addresses in both IP versions', async () => {
    const start = performance.now();
    await applyBoth();
    await untilRoutes(b, ROUTES_OF_B);
    await untilRoutesOfG(ROUTES_OF_G);
    note(`start to all routes: ${(performance.now() - start).toFixed(0)} ms`);
    const { peers } = await gobgp.status();
    expect(
      peers.map(({ address, type, info, state }) => `${address} ${type} ${state} ${info}`).sort(),
    ).toEqual(['172.31.9.2 node-to-node mesh up Established', 'fd31:9::2 node-to-node mesh up Established']);
    expect(peers[0]?.since).toMatch(/^00:\d\d:\d\d$/);
  });

  test('tells of a new block within a moment, and of one that is gone', async () => {
    const start = performance.now();
    const blocks = [...BLOCKS, { cidr: '10.65.4.0/26', node: 'g', confirmed: true }];
    await gobgp.apply(bgpStateFrom(source('g', { blocks })).state);
    await eventually('b has it', async () => (await b.birdRoutes()).includes('10.65.4.0/26 172.31.9.1'));
    note(`block of GoBGP to the route at BIRD: ${(performance.now() - start).toFixed(0)} ms`);
    await gobgp.apply(bgpStateFrom(source('g')).state);
    await untilRoutes(b, ROUTES_OF_B);
    expect(await routesOfG()).toEqual(ROUTES_OF_G);
  });

  test('is taken over by the next agent, and the daemon goes on', async () => {
    const pid = gobgp.pid();
    await gobgp.close();
    gobgp = create();
    expect(gobgp.pid()).toBe(pid);
    await gobgp.apply(bgpStateFrom(source('g')).state);
    expect(gobgp.pid()).toBe(pid);
    expect(await routesOfG()).toEqual(ROUTES_OF_G);
  });

  test('has another daemon when that one is killed, and its routes all the time', async () => {
    const pid = gobgp.pid();
    if (pid === undefined) throw new Error('no GoBGP runs');
    process.kill(pid, 'SIGKILL');
    await eventually('another one has its sessions', async () => {
      expect(await routesOfG()).toEqual(ROUTES_OF_G);
      const now = gobgp.pid();
      if (now === undefined || now === pid) return false;
      const { peers } = await gobgp.status().catch(() => ({ peers: [] }));
      return peers.length === 2 && peers.every(({ info }) => info === 'Established');
    });
    await untilRoutes(b, ROUTES_OF_B);
  });

  test('leaves the mesh when it is switched off, and returns by a peer of its own', async () => {
    await applyBoth({ settings: MESH_OFF });
    await untilRoutesOfG(['10.65.1.0/26 blackhole', 'fd65::100/122 blackhole']);
    const peers = [
      { metadata: { scope: 'node', node: 'g', peerIP: '172.31.9.2' }, spec: { asNumber: 64_512 } },
      { metadata: { scope: 'node', node: 'b', peerIP: '172.31.9.1' }, spec: { asNumber: 64_512 } },
    ];
    await applyBoth({ settings: MESH_OFF, peers });
    await untilRoutesOfG(ROUTES_OF_G.filter(route => !route.startsWith('fd65::200')));
    const [peer] = (await gobgp.status()).peers;
    expect(peer).toMatchObject({ type: 'node specific', address: '172.31.9.2' });
  });
});
