import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSocket, systemClock } from '../src/base/index.js';
import { bgpStateFrom, renderBird } from '../src/bgp/index.js';
import { createResourceClient, openStore } from '../src/datastore/index.js';
import type { ResourceClient } from '../src/datastore/index.js';
import { createAllocator, watchBlocks } from '../src/ipam/index.js';
import {
  controlSocket,
  labDown,
  labUp,
  netnsPath,
  plainTopology,
  planLab,
  storeDirectory,
} from '../src/lab/index.js';
import type { LabHost, LabPaths, LabPlan } from '../src/lab/index.js';
import { openHostNetwork } from '../src/netlink/index.js';
import type { ResourceOf } from '../src/resources/index.js';

/**
 * The configuration of one host in a large mesh, and how long a new block of one host takes to the routes of
 * two others, through the product as installed. Wants root, BIRD and a built `dist`.
 */
const NODES = 1_000;
const BLOCKS = 5_000;
const NEW_BLOCKS = 40;
const PEERINGS = 5;
const LAB_POOL = '10.65.0.0/16';
const ADDRESSES_IN_A_BLOCK = 64;

function renderLargeMesh(folder: string): void {
  const dotted = (index: number): string => `${String(index >> 8)}.${String(index & 255)}`;
  const source = {
    nodeName: 'n0',
    nodes: Array.from({ length: NODES }, (_, i) => ({
      metadata: { name: `n${String(i)}` },
      spec: { bgp: { ipv4Address: `172.20.${dotted(i + 1)}` } },
    })),
    peers: [],
    pools: [{ metadata: { cidr: '10.0.0.0/8' } }],
    blocks: Array.from({ length: BLOCKS }, (_, i) => ({
      cidr: `10.${dotted(i >> 2)}.${String((i & 3) * ADDRESSES_IN_A_BLOCK)}/26`,
      node: 'n0',
      confirmed: true,
    })),
    settings: new Map<string, string>(),
  };
  const path = join(folder, 'bird.conf');
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    const text = renderBird(bgpStateFrom(source).state);
    const rendered = performance.now();
    writeFileSync(path, text);
    const { status, stderr } = spawnSync('bird', ['-p', '-c', path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const checked = performance.now();
    console.log(
      `${String(NODES)} nodes in a mesh, ${String(BLOCKS)} own blocks: rendered ${(rendered - start).toFixed(0)} ms, ` +
        `checked by BIRD ${(checked - rendered).toFixed(0)} ms, ${String(Math.round(text.length / 1024))} KiB`,
    );
  }
}

/** Resolves with the name of the next block that a node gets. */
async function nextBlock(events: AsyncIterator<string>): Promise<string> {
  const { done, value } = await events.next();
  if (done === true) throw new Error('the watch of blocks ended');
  return value;
}

async function* newBlocks(
  store: Parameters<typeof watchBlocks>[0],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const known = new Set<string>();
  for await (const { inSync, changes } of watchBlocks(store, { signal })) {
    for (const change of changes) {
      if (change.kind !== 'updated' || known.has(change.block.cidr)) continue;
      known.add(change.block.cidr);
      if (!inSync) yield change.block.cidr;
    }
  }
}

async function measureNewBlocks(plan: LabPlan, store: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  const [owner, ...others] = plan.hosts;
  if (owner === undefined) throw new Error('a lab has hosts');
  const allocator = createAllocator({ store, clock: systemClock });
  const seen = new Map<string, number[]>();
  const network = await openHostNetwork();
  const inside = others.map(host => network.enter(netnsPath(host.netns)));
  for (const each of inside) {
    each.watch(({ events }) => {
      const now = performance.now();
      for (const event of events) {
        if (event.kind !== 'route' || event.route.gateway !== owner.ipv4) continue;
        seen.set(event.route.destination, [...(seen.get(event.route.destination) ?? []), now]);
      }
    });
  }
  const ending = new AbortController();
  const blocks = newBlocks(store, ending.signal);
  const times: number[] = [];
  const first = nextBlock(blocks);
  await systemClock.sleep(500);
  for (let i = 0; i < NEW_BLOCKS; i++) {
    const start = performance.now();
    const count = { 4: ADDRESSES_IN_A_BLOCK, 6: 0 };
    await allocator.assign({ node: owner.name, handle: `bench-${String(i)}`, count });
    const block = await (i === 0 ? first : nextBlock(blocks));
    while ((seen.get(block)?.length ?? 0) < others.length) await systemClock.sleep(1);
    times.push(Math.max(...(seen.get(block) ?? [])) - start);
    // Not a burst: each on its own.
    await systemClock.sleep(150);
  }
  ending.abort();
  for (const each of inside) each.close();
  network.close();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  console.log(
    `new block of one host to the routes of two others: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, ` +
      `max ${at(1)} ms (${String(NEW_BLOCKS)} blocks)`,
  );
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return `median ${middle.toFixed(0)} ms, max ${(sorted.at(-1) ?? 0).toFixed(0)} ms (${String(times.length)} times)`;
}

/** Without a mesh, two hosts are made peers of each other, again and again. */
async function measurePeers(plan: LabPlan, { paths, client }: Installed): Promise<void> {
  const [one, two] = plan.hosts;
  if (one === undefined || two === undefined) throw new Error('a lab of two hosts');
  const peer = (node: LabHost, other: LabHost): ResourceOf<'bgpPeer'> => ({
    apiVersion: 'v1',
    kind: 'bgpPeer',
    metadata: { scope: 'node', node: node.name, peerIP: other.ipv4 },
    spec: { asNumber: 64_512 },
  });
  const peers = [peer(one, two), peer(two, one)];
  const established = async (): Promise<boolean> => {
    const { body } = await askSocket(controlSocket(paths, plan, one), '/status');
    return body.includes('"Established"');
  };
  await client.setSetting({ component: 'bgp', name: 'node_mesh' }, '{"enabled":false}');
  const times: number[] = [];
  for (let i = 0; i < PEERINGS; i++) {
    while (await established()) await systemClock.sleep(10);
    const start = performance.now();
    await client.write(peers.map(resource => ({ verb: 'create', resource })));
    while (!(await established())) await systemClock.sleep(10);
    times.push(performance.now() - start);
    await client.write(peers.map(resource => ({ verb: 'delete', resource })));
  }
  await client.setSetting({ component: 'bgp', name: 'node_mesh' }, '{"enabled":true}');
  console.log(`two bgpPeers to Established: ${spread(times)}`);
}

/** A pool is wrapped in VXLAN and unwrapped, again and again. */
async function measureVxlan(plan: LabPlan, { client }: Installed): Promise<void> {
  const root = await openHostNetwork();
  const inside = plan.hosts.map(host => root.enter(netnsPath(host.netns)));
  const wrapped = (): boolean =>
    inside.every(network => {
      const index = network.linkByName('vxlan.calico')?.index;
      const ways = network
        .routes()
        .filter(each => each.interfaceIndex === index && each.gateway !== undefined);
      return index !== undefined && ways.length >= plan.hosts.length - 1;
    });
  const pool = { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: LAB_POOL } } as const;
  const times: number[] = [];
  for (let i = 0; i < PEERINGS; i++) {
    const start = performance.now();
    await client.write([{ verb: 'apply', resource: { ...pool, spec: { vxlan: { enabled: true } } } }]);
    while (!wrapped()) await systemClock.sleep(2);
    times.push(performance.now() - start);
    await client.write([{ verb: 'apply', resource: { ...pool, spec: {} } }]);
    while (wrapped()) await systemClock.sleep(20);
  }
  for (const each of inside) each.close();
  root.close();
  console.log(`a pool is wrapped in VXLAN: all routes of three hosts: ${spread(times)}`);
}

interface Installed {
  readonly paths: LabPaths;
  readonly client: ResourceClient;
}

const folder = mkdtempSync(join(tmpdir(), 'calico-bench-'));
try {
  renderLargeMesh(folder);
  const paths = { root: join(folder, 'labs'), bin: join(process.env['CALICO_ROOT'] ?? '.', 'bin') };
  const plan = planLab(`bb${String(process.pid)}`, plainTopology(3, 1));
  const context = { paths, clock: systemClock, say: () => undefined };
  await labUp(context, plan);
  try {
    const store = await openStore({ type: 'sqlite', directory: storeDirectory(paths, plan) });
    await measureNewBlocks(plan, store);
    const installed = { paths, client: createResourceClient(store) };
    await measurePeers(plan, installed);
    await measureVxlan(plan, installed);
    await store.close();
  } finally {
    await labDown(context, plan);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
