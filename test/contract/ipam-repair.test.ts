import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createAllocator, createAutoRepair, runAutoRepair } from '../../src/ipam/index.js';
import type { Allocator } from '../../src/ipam/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';

const minute = 60_000;

let world: IpamWorld;
let allocator: Allocator;
let live: Set<string>;
let time: number;
let clock: typeof systemClock;

beforeEach(async () => {
  world = await openIpamWorld();
  time = systemClock.now();
  clock = { ...systemClock, now: () => time };
  allocator = createAllocator({ store: world.store, clock });
  live = new Set();
  await world.setPool('10.0.0.0/24');
  await addHost('n0');
});

afterEach(async () => world.close());

async function addHost(name: string): Promise<void> {
  await world.client.write([
    { verb: 'create', resource: { apiVersion: 'v1', kind: 'node', metadata: { name }, spec: {} } },
  ]);
}

async function assign(handle: string, node = 'n0', count = 1): Promise<readonly string[]> {
  const attributes = { node, containerid: handle, timestamp: new Date(time).toISOString() };
  return (await allocator.assign({ node, handle, attributes, count: { 4: count, 6: 0 } })).addresses;
}

const partsOf = (node: string) => ({
  node,
  store: world.store,
  client: world.client,
  allocator,
  clock,
  log: silentLogger,
  liveAddresses: async () => live,
});

/** Looks every five minutes for that long; what was done in all. */
async function lookFor(minutes: number, node = 'n0'): Promise<readonly string[]> {
  const repair = createAutoRepair(partsOf(node));
  const done: string[] = [];
  for (let i = 0; i <= minutes; i += 5) {
    done.push(...(await repair.look()));
    time += 5 * minute;
  }
  return done;
}

describe('the automatic repair', () => {
  test('releases an address without endpoint after the grace time, and not before', async () => {
    const [address = ''] = await assign('a');
    // Two minutes of it pass before the address counts as leaked.
    expect(await lookFor(15)).toEqual([]);
    expect(await lookFor(20)).toEqual([`${address} is held by a on n0, but no endpoint has it`]);
    expect(await world.handles()).toEqual(new Map());
  });

  test('begins anew when the address was given to another in between', async () => {
    const [address = ''] = await assign('a');
    time += 10 * minute;
    const repair = createAutoRepair(partsOf('n0'));
    await repair.look();
    time += 14 * minute;
    await allocator.releaseByHandle('a');
    await allocator.assignAddress({
      node: 'n0',
      handle: 'a',
      address,
      attributes: { node: 'n0', containerid: 'a' },
    });
    time += 10 * minute;
    expect(await repair.look()).toEqual([]);
    time += 15 * minute;
    expect(await repair.look()).toHaveLength(1);
  });

  test('leaves an address that an interface of the host has', async () => {
    const [address = ''] = await assign('a');
    live.add(address);
    expect(await lookFor(60)).toEqual([]);
  });

  test('leaves addresses of other nodes, and those that do not say whose they are', async () => {
    await addHost('n1');
    await assign('a', 'n1');
    await allocator.assign({ node: 'n0', handle: 'by-hand', count: { 4: 1, 6: 0 } });
    expect(await lookFor(60)).toEqual([]);
    expect(await lookFor(60, 'n1')).toHaveLength(1);
  });

  test('takes apart what a removed host left', async () => {
    await assign('a', 'gone', 65);
    const done = await lookFor(20);
    expect(done.filter(line => line.includes('block'))).toHaveLength(2);
    expect(await world.blocks()).toEqual(new Map());
    expect(await world.claims()).toEqual([]);
    expect(await world.handles()).toEqual(new Map());
  });

  test('gives back empty blocks, but keeps one', async () => {
    await assign('a', 'n0', 130);
    await allocator.releaseByHandle('a');
    expect((await world.blocks()).size).toBe(3);
    await lookFor(20);
    expect((await world.blocks()).size).toBe(1);
    expect(await world.claims()).toHaveLength(1);
  });

  test('runs until it is stopped, and survives a look that fails', async () => {
    const ending = new AbortController();
    let looks = 0;
    const failing = {
      list: async (): Promise<never> => {
        if (++looks === 3) ending.abort();
        throw new Error('no');
      },
    };
    await runAutoRepair({ ...partsOf('n0'), client: failing, everyMs: 1 }, ending.signal);
    expect(looks).toBe(3);
  });
});
