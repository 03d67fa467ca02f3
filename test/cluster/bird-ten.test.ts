import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BgpSource, BlockSource } from '../../src/bgp/index.js';
import { configOf, createBirdNodes, note, untilRoutes } from '../support/bird-nodes.js';
import type { BirdNodes } from '../support/bird-nodes.js';

const NAMES = Array.from({ length: 10 }, (_, i) => `h${String(i + 1)}`);
const BLOCKS: readonly BlockSource[] = NAMES.map((node, i) => ({
  cidr: `10.65.${String(i + 1)}.0/26`,
  node,
  confirmed: true,
}));

describe('ten hosts in a mesh', () => {
  let cluster: BirdNodes;

  beforeAll(async () => {
    cluster = await createBirdNodes(NAMES);
  });

  afterAll(async () => {
    await cluster.remove();
  });

  function source(nodeName: string, blocks: readonly BlockSource[]): BgpSource {
    const nodes = cluster.nodes.map(({ name, ipv4 }) => ({
      metadata: { name },
      spec: { bgp: { ipv4Address: ipv4 } },
    }));
    const pools = [{ metadata: { cidr: '10.65.0.0/16' } }];
    return { nodeName, nodes, peers: [], pools, blocks, settings: new Map() };
  }

  async function applyAll(blocks: readonly BlockSource[]): Promise<void> {
    await Promise.all(
      cluster.nodes.map(async ({ name, daemon }) => {
        await daemon.apply(configOf(source(name, blocks)));
      }),
    );
  }

  /** Waits for the routes on all hosts that these blocks mean. */
  async function untilAllKnow(blocks: readonly BlockSource[]): Promise<void> {
    const addresses = new Map(cluster.nodes.map(({ name, ipv4 }) => [name, ipv4]));
    for (const node of cluster.nodes) {
      const routes = blocks.map(({ cidr, node: owner = '' }) =>
        owner === node.name ? `${cidr} blackhole` : `${cidr} ${addresses.get(owner) ?? ''}`,
      );
      await untilRoutes(node, routes.toSorted());
    }
  }

  test('learn the blocks of each other', async () => {
    const start = performance.now();
    await applyAll(BLOCKS);
    await untilAllKnow(BLOCKS);
    note(`ten hosts, start to all routes: ${(performance.now() - start).toFixed(0)} ms`);
    const statuses = await Promise.all(cluster.nodes.map(async ({ daemon }) => await daemon.status()));
    expect(statuses.map(({ peers }) => peers.length)).toEqual(NAMES.map(() => 9));
  });

  test('follow a block that moves to another host', async () => {
    const moved = BLOCKS.map(block => (block.node === 'h3' ? { ...block, node: 'h7' } : block));
    const start = performance.now();
    await applyAll(moved);
    await untilAllKnow(moved);
    note(`a block moved on ten hosts: ${(performance.now() - start).toFixed(0)} ms`);
    expect(await cluster.nodes[0]?.birdRoutes()).toContain('10.65.3.0/26 172.31.9.7');
  });
});
