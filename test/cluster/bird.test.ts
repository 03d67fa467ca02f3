import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BgpSource, BlockSource } from '../../src/bgp/index.js';
import { configOf, createBirdNodes, note, untilRoutes } from '../support/bird-nodes.js';
import type { BirdNode, BirdNodes } from '../support/bird-nodes.js';
import { eventually } from '../support/netns.js';

const POOLS = ['10.65.0.0/16', 'fd65::/48'].map(cidr => ({ metadata: { cidr } }));
const BLOCKS: readonly BlockSource[] = [
  { cidr: '10.65.1.0/26', node: 'a', confirmed: true },
  { cidr: '10.65.2.0/26', node: 'b', confirmed: true },
  { cidr: '10.65.3.0/26', node: 'c', confirmed: true },
  { cidr: 'fd65::100/122', node: 'a', confirmed: true },
  { cidr: 'fd65::200/122', node: 'b', confirmed: true },
];
const MESH_ROUTES_OF_C = [
  '10.65.1.0/26 172.31.9.1',
  '10.65.2.0/26 172.31.9.2',
  '10.65.3.0/26 blackhole',
  'fd65::100/122 fd31:9::1',
  'fd65::200/122 fd31:9::2',
];

describe('three hosts, each with a BIRD of its own', () => {
  let cluster: BirdNodes;
  let a: BirdNode;
  let b: BirdNode;
  let c: BirdNode;

  beforeAll(async () => {
    cluster = await createBirdNodes(['a', 'b', 'c']);
    const [first, second, third] = cluster.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
    [a, b, c] = [first, second, third];
  });

  afterAll(async () => {
    await cluster.remove();
  });

  function source(nodeName: string, change: Partial<BgpSource> = {}): BgpSource {
    const nodes = cluster.nodes.map(({ name, ipv4, ipv6 }) => ({
      metadata: { name },
      spec: { bgp: { ipv4Address: ipv4, ipv6Address: ipv6 } },
    }));
    return { nodeName, nodes, peers: [], pools: POOLS, blocks: BLOCKS, settings: new Map(), ...change };
  }

  async function applyAll(change: Partial<BgpSource> = {}): Promise<void> {
    await Promise.all(
      cluster.nodes.map(async node => await node.daemon.apply(configOf(source(node.name, change)))),
    );
  }

  async function untilEstablished(node: BirdNode, count: number): Promise<void> {
    await eventually(`${String(count)} sessions of ${node.name} are established`, async () => {
      const { peers } = await node.daemon.status();
      return peers.filter(({ state, info }) => state === 'up' && info === 'Established').length === count;
    });
  }

  test('learn the blocks of each other in both IP versions, and end packets to unassigned own addresses', async () => {
    const start = performance.now();
    await applyAll();
    await untilRoutes(c, MESH_ROUTES_OF_C);
    note(`start to all routes on c: ${(performance.now() - start).toFixed(0)} ms`);
    await untilRoutes(a, [
      '10.65.1.0/26 blackhole',
      '10.65.2.0/26 172.31.9.2',
      '10.65.3.0/26 172.31.9.3',
      'fd65::100/122 blackhole',
      'fd65::200/122 fd31:9::2',
    ]);
    for (const node of [a, b, c]) await untilEstablished(node, 4);
    const { peers, routes } = await a.daemon.status();
    expect(peers.map(({ address, type }) => `${address} ${type}`).sort()).toEqual([
      '172.31.9.2 node-to-node mesh',
      '172.31.9.3 node-to-node mesh',
      'fd31:9::2 node-to-node mesh',
      'fd31:9::3 node-to-node mesh',
    ]);
    expect(routes[4]).toBeGreaterThanOrEqual(3);
  });

  test('hear of a new block as soon as its owner has it', async () => {
    const blocks = [...BLOCKS, { cidr: '10.65.4.0/26', node: 'a', confirmed: true }];
    const before = await b.daemon.status();
    const start = performance.now();
    await a.daemon.apply(configOf(source('a', { blocks })));
    await untilRoutes(c, [
      ...MESH_ROUTES_OF_C.slice(0, 3),
      '10.65.4.0/26 172.31.9.1',
      ...MESH_ROUTES_OF_C.slice(3),
    ]);
    note(`apply of a block to the route on c: ${(performance.now() - start).toFixed(0)} ms`);
    expect((await b.daemon.status()).peers).toEqual(before.peers);
    await a.daemon.apply(configOf(source('a')));
    await untilRoutes(c, MESH_ROUTES_OF_C);
  });

  test('reach an address that lives on another host than its block, and no tunnel of that host', async () => {
    const inA = async (...args: readonly string[]): Promise<string> =>
      await cluster.net.run('a', 'ip', ...args);
    await inA('link', 'add', 'cali1', 'type', 'veth', 'peer', 'name', 'tun9');
    await inA('link', 'set', 'cali1', 'up');
    await inA('link', 'set', 'tun9', 'up');
    await inA('route', 'add', '10.65.3.0/26', 'dev', 'tun9', 'proto', '80');
    await inA('route', 'add', '10.99.0.0/24', 'dev', 'tun9', 'proto', '80');
    await inA('route', 'add', '10.65.1.9/32', 'dev', 'cali1', 'proto', '80');
    const start = performance.now();
    await inA('route', 'add', '10.65.2.9/32', 'dev', 'cali1', 'proto', '80');
    await eventually('b has it', async () => (await b.birdRoutes()).includes('10.65.2.9 172.31.9.1'));
    note(`borrowed address to the route on b: ${(performance.now() - start).toFixed(0)} ms`);
    // The kernel told a's BIRD of them in this order: those before have had their chance.
    await untilRoutes(b, [
      '10.65.1.0/26 172.31.9.1',
      '10.65.2.0/26 blackhole',
      '10.65.2.9 172.31.9.1',
      '10.65.3.0/26 172.31.9.3',
      'fd65::100/122 fd31:9::1',
      'fd65::200/122 blackhole',
    ]);
    await inA('link', 'del', 'cali1');
    await untilRoutes(c, MESH_ROUTES_OF_C);
    await eventually('b has forgotten it', async () => !(await b.birdRoutes()).join().includes('10.65.2.9'));
    expect(await b.birdRoutes()).toContain('10.65.2.0/26 blackhole');
  });

  test('keep what they have when a configuration is refused, and say so', async () => {
    const filters = new Map([['custom_filters/v4/1', 'if nonsense then accept;']]);
    const pid = a.daemon.pid();
    const refused = a.daemon.apply(configOf(source('a', { settings: filters })));
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/old one stays.*bird\.conf\.refused:[0-9]+/),
    });
    expect(a.daemon.pid()).toBe(pid);
    await untilEstablished(a, 4);
    await a.daemon.apply(configOf(source('a')));
  });

  test('start a daemon again that was killed, with its routes in place all the time', async () => {
    await untilRoutes(b, await b.birdRoutes());
    const routes = await b.birdRoutes();
    const pid = b.daemon.pid();
    if (pid === undefined) throw new Error('BIRD of b runs');
    process.kill(pid, 'SIGKILL');
    const start = performance.now();
    await eventually('another BIRD runs', async () => {
      expect(await b.birdRoutes()).toEqual(routes);
      expect(await c.birdRoutes()).toEqual(MESH_ROUTES_OF_C);
      const now = b.daemon.pid();
      return now !== undefined && now !== pid;
    });
    note(`killed to running again: ${(performance.now() - start).toFixed(0)} ms`);
    for (const node of [a, b, c]) await untilEstablished(node, 4);
    note(`killed to sessions back: ${(performance.now() - start).toFixed(0)} ms`);
    expect(await b.birdRoutes()).toEqual(routes);
    expect(await c.birdRoutes()).toEqual(MESH_ROUTES_OF_C);
  });

  test('are taken over by the next agent while they run', async () => {
    const pid = c.daemon.pid();
    const before = (await c.daemon.status()).peers;
    const old = c.daemon;
    await c.renew();
    expect(c.daemon.pid()).toBe(pid);
    await expect(old.apply('')).rejects.toMatchObject({ code: 'unavailable' });
    await c.daemon.apply(configOf(source('c')));
    expect(c.daemon.pid()).toBe(pid);
    expect((await c.daemon.status()).peers).toEqual(before);
    expect(await c.birdRoutes()).toEqual(MESH_ROUTES_OF_C);
  });

  test('keep the routes of a host whose daemon is stopped for an upgrade, until it is back', async () => {
    // A second restart before the first has ended takes the routes away (RFC 4724 4.2).
    await eventually('the last restart is over', async () => !(await b.daemon.status()).recovering);
    await b.birdRoutes();
    await b.daemon.stop({ graceful: true });
    expect(b.daemon.pid()).toBeUndefined();
    const isBack = async (): Promise<boolean> => {
      expect(await c.birdRoutes()).toEqual(MESH_ROUTES_OF_C);
      const { peers } = await c.daemon.status();
      return peers.every(({ info }) => info === 'Established');
    };
    await eventually('c has lost the session', async () => !(await isBack()));
    await b.renew();
    await b.daemon.apply(configOf(source('b')));
    await eventually('c has all sessions again', isBack);
  });

  test('drop the mesh sessions and their routes when the mesh is switched off', async () => {
    await applyAll({ settings: new Map([['node_mesh', '{"enabled":false}']]) });
    await untilRoutes(c, ['10.65.3.0/26 blackhole']);
    await eventually('no session is left', async () => (await a.daemon.status()).peers.length === 0);
    expect(await c.birdRoutes()).toEqual(['10.65.3.0/26 blackhole']);
  });

  test('leave their routes to the kernel when they are stopped for good', async () => {
    await b.daemon.stop({ graceful: false });
    expect(b.daemon.pid()).toBeUndefined();
    await expect(b.daemon.status()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await b.birdRoutes()).toContain('10.65.2.0/26 blackhole');
  });
});
