import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BgpSource } from '../../src/bgp/index.js';
import { configOf, createBirdNodes } from '../support/bird-nodes.js';
import type { BirdNode, BirdNodes } from '../support/bird-nodes.js';
import { eventually } from '../support/netns.js';

describe('sessions with a password', () => {
  let cluster: BirdNodes;

  beforeAll(async () => {
    cluster = await createBirdNodes(['a', 'b']);
  });

  afterAll(async () => {
    await cluster.remove();
  });

  function source(
    nodeName: string,
    settings: BgpSource['settings'],
    more: Partial<BgpSource> = {},
  ): BgpSource {
    const nodes = cluster.nodes.map(({ name, ipv4, ipv6 }) => ({
      metadata: { name },
      spec: { bgp: { ipv4Address: ipv4, ipv6Address: ipv6 } },
    }));
    return { nodeName, nodes, peers: [], pools: [], blocks: [], settings, ...more };
  }

  async function established(node: BirdNode): Promise<number> {
    const { peers } = await node.daemon.status();
    return peers.filter(({ info }) => info === 'Established').length;
  }

  /** Segments that the node's kernel has refused for their signature. */
  async function refused({ name }: BirdNode): Promise<number> {
    const text = await cluster.net.run(name, 'cat', '/proc/net/netstat');
    const [names = [], values = []] = text
      .split('\n')
      .filter(line => line.startsWith('TcpExt:'))
      .map(line => line.split(' '));
    return Number(values[names.indexOf('TCPMD5Failure')]);
  }

  async function configure(password: (node: BirdNode) => string): Promise<void> {
    for (const node of cluster.nodes) {
      await node.daemon.apply(configOf(source(node.name, new Map([['mesh_password', password(node)]]))));
    }
  }

  async function untilEstablished(count: number): Promise<void> {
    await eventually(`${String(count)} sessions`, async () =>
      (await Promise.all(cluster.nodes.map(established))).every(number => number === count),
    );
  }

  test('come up over both IP versions where both ends have the same one', async () => {
    await configure(() => 'pa5s word#');
    await untilEstablished(2);
    expect((await cluster.nodes[0]?.daemon.status())?.peers).toHaveLength(2);
  });

  test('do not come up where they differ, and do when they are the same again', async () => {
    await configure(({ name }) => name);
    await untilEstablished(0);
    // Nobody gets in by trying on.
    const before = await Promise.all(cluster.nodes.map(refused));
    await eventually('both have tried', async () => {
      const now = await Promise.all(cluster.nodes.map(refused));
      return now.every((count, i) => count > (before[i] ?? 0));
    });
    expect(await Promise.all(cluster.nodes.map(established))).toEqual([0, 0]);
    await configure(() => 'same');
    await untilEstablished(2);
  });
});
