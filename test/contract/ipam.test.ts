import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import {
  changeIpamConfig,
  checkIpam,
  listReservations,
  readIpamConfig,
  removeReservation,
  setReservation,
} from '../../src/ipam/index.js';
import { contains, parseCidr, parseIp } from '../../src/net/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';

let world: IpamWorld;

beforeEach(async () => {
  world = await openIpamWorld(3);
  await world.setPool('10.0.0.0/24');
});

afterEach(async () => world.close());

function inside(cidr: string, address: string | undefined): boolean {
  const [outer, inner] = [parseCidr(cidr), parseIp(address ?? '')];
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}

async function assign(host: number, handle: string, four = 1, six = 0): Promise<readonly string[]> {
  const request = { node: `n${String(host)}`, handle, count: { 4: four, 6: six } };
  return (await world.allocators[host]?.assign(request))?.addresses ?? [];
}

describe('assigning an address', () => {
  test('claims a block for the node, and takes further addresses from it', async () => {
    const [first, second] = [await assign(0, 'a'), await assign(0, 'b')];
    const blocks = [...(await world.blocks()).values()];
    expect(blocks).toHaveLength(1);
    expect(blocks[0]?.affinity).toBe('host:n0');
    expect(inside('10.0.0.0/24', first[0])).toBe(true);
    expect(second).not.toEqual(first);
    const [claim] = await world.claims();
    expect((await world.store.get(claim ?? ''))?.value).toBe('{"state":"confirmed","deleted":false}');
  });

  test('from an owned block costs one commit', async () => {
    await assign(0, 'a');
    const before = await world.store.list('/');
    await assign(0, 'b');
    const after = await world.store.list('/');
    expect(after.revision).toBe(before.revision + 1);
  });

  test('gives both families or nothing', async () => {
    await expect(assign(0, 'a', 1, 1)).rejects.toMatchObject({ code: 'not-found' });
    expect(await world.handles()).toEqual(new Map());
    expect(await world.blocks()).toEqual(new Map());
    await world.setPool('fd00::/64');
    const addresses = await assign(0, 'a', 1, 1);
    expect(inside('10.0.0.0/24', addresses[0])).toBe(true);
    expect(inside('fd00::/64', addresses[1])).toBe(true);
  });

  test('of more than a block holds spans blocks, and counts each in the handle', async () => {
    const addresses = await assign(0, 'a', 100);
    expect(new Set(addresses).size).toBe(100);
    const handle = (await world.handles()).get('a') ?? {};
    expect(Object.values(handle)).toEqual(expect.arrayContaining([36, 64]));
  });

  test('borrows from blocks of others when the pool has no free block', async () => {
    await assign(0, 'a', 65);
    await assign(1, 'b', 65);
    const borrowed = await assign(2, 'c', 10);
    expect(borrowed).toHaveLength(10);
    const owners = [...(await world.blocks()).values()].map(({ affinity }) => affinity ?? '');
    expect(owners.filter(owner => owner === 'host:n0')).toHaveLength(2);
    expect(owners.filter(owner => owner === 'host:n1')).toHaveLength(2);
  });

  test('never borrows with strict affinity', async () => {
    await world.setConfig({ strict_affinity: true, auto_allocate_blocks: true });
    await assign(0, 'a', 65);
    await assign(1, 'b', 65);
    await expect(assign(2, 'c')).rejects.toMatchObject({ code: 'exhausted' });
  });

  test('of a used up pool fails, names the pool and changes nothing', async () => {
    await assign(0, 'a', 250);
    const before = await world.store.list('/');
    await expect(assign(1, 'b', 7)).rejects.toThrow(
      'Assigned 6 out of 7 requested IPv4 addresses; No IPs available in pools: [10.0.0.0/24]',
    );
    expect(await world.store.list('/')).toEqual(before);
    expect(await assign(1, 'b', 6)).toHaveLength(6);
  });

  test('avoids a disabled pool, at once, even with blocks in it', async () => {
    await assign(0, 'a');
    await world.setPool('10.0.0.0/24', { disabled: true });
    await expect(assign(0, 'b')).rejects.toMatchObject({ code: 'not-found' });
    await world.setPool('10.9.0.0/24');
    expect(inside('10.9.0.0/24', (await assign(0, 'b'))[0])).toBe(true);
    expect(await world.allocators[0]?.addressesOf('a')).toHaveLength(1);
  });

  test('keeps to the pools asked for, and refuses unknown and disabled ones', async () => {
    await world.setPool('10.9.0.0/24');
    await world.setPool('10.8.0.0/24', { disabled: true });
    const from = async (pool: string): Promise<string | undefined> => {
      const pools = [parseCidr(pool)].filter(cidr => cidr !== undefined);
      const request = { node: 'n0', handle: 'a', count: { 4: 1, 6: 0 }, pools };
      return (await world.allocators[0]?.assign(request))?.addresses[0];
    };
    expect(inside('10.9.0.0/24', await from('10.9.0.0/24'))).toBe(true);
    await expect(from('10.7.0.0/24')).rejects.toThrow('The given pool (10.7.0.0/24) does not exist');
    await expect(from('10.8.0.0/24')).rejects.toThrow('The given pool (10.8.0.0/24) is disabled');
  });

  test('repairs the claim that a crash of another writer left without a block', async () => {
    const key = '/calico/ipam/v2/host/n0/ipv4/block/10.0.0.128-26';
    await world.store.commit({ writes: [{ kind: 'put', key, value: '{"state":"pending"}' }] });
    expect(inside('10.0.0.128/26', (await assign(0, 'a'))[0])).toBe(true);
    expect((await world.store.get(key))?.value).toBe('{"state":"confirmed","deleted":false}');
  });

  test('removes the claim on a block that another node owns', async () => {
    await assign(0, 'a');
    const [block] = [...(await world.blocks()).keys()];
    const key = `/calico/ipam/v2/host/n1/ipv4/block/${block?.replace('/', '-') ?? ''}`;
    await world.store.commit({ writes: [{ kind: 'put', key, value: '{}' }] });
    await assign(1, 'b');
    expect(await world.store.get(key)).toBeUndefined();
  });
});

describe('assigning a certain address', () => {
  const wish = (address: string, handle: string, host = 0): Promise<void> | undefined =>
    world.allocators[host]?.assignAddress({
      node: `n${String(host)}`,
      handle,
      address,
      attributes: { pod: 'p' },
    });

  test('gives it, with its attributes', async () => {
    await wish('10.0.0.77', 'a');
    expect(await world.allocators[1]?.lookup('10.0.0.77')).toMatchObject({
      address: '10.0.0.77',
      block: '10.0.0.64/26',
      handle: 'a',
      attributes: { pod: 'p' },
    });
  });

  test('fails when somebody holds it, and when no enabled pool covers it', async () => {
    await wish('10.0.0.77', 'a');
    await expect(wish('10.0.0.77', 'b', 1)).rejects.toMatchObject({ code: 'already-exists' });
    await expect(wish('10.1.0.1', 'b')).rejects.toMatchObject({ code: 'invalid' });
  });

  test('out of the block of another node fails only with strict affinity', async () => {
    await wish('10.0.0.77', 'a');
    await wish('10.0.0.78', 'b', 1);
    await world.setConfig({ strict_affinity: true, auto_allocate_blocks: true });
    await expect(wish('10.0.0.79', 'b', 1)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('releasing', () => {
  test('by handle frees all it holds, and says what', async () => {
    const addresses = await assign(0, 'a', 70);
    await assign(0, 'b');
    expect([...((await world.allocators[1]?.releaseByHandle('a')) ?? [])].sort()).toEqual(
      [...addresses].sort(),
    );
    expect([...(await world.handles()).keys()]).toEqual(['b']);
    expect(await world.allocators[1]?.releaseByHandle('a')).toEqual([]);
  });

  test('an address lowers its handle, and a second time changes nothing', async () => {
    const [address = ''] = await assign(0, 'a', 2);
    expect(await world.allocators[1]?.releaseAddress(address)).toBe(true);
    const before = await world.store.list('/');
    expect(await world.allocators[1]?.releaseAddress(address)).toBe(false);
    expect(await world.store.list('/')).toEqual(before);
    expect(Object.values((await world.handles()).get('a') ?? {})).toEqual([1]);
  });

  test('the last address of a block keeps the block with its node', async () => {
    await assign(0, 'a');
    await world.allocators[0]?.releaseByHandle('a');
    expect((await world.blocks()).size).toBe(1);
    expect(await world.claims()).toHaveLength(1);
  });

  test('the claims of a node deletes its empty blocks; used ones go with their last address', async () => {
    await assign(0, 'a', 64);
    await assign(0, 'b', 64);
    await world.allocators[0]?.releaseByHandle('b');
    await world.allocators[1]?.releaseAffinities('n0');
    expect(await world.claims()).toEqual([]);
    expect([...(await world.blocks()).values()].map(({ affinity }) => affinity)).toEqual([null]);
    expect(await world.allocators[0]?.addressesOf('a')).toHaveLength(64);
    await world.allocators[0]?.releaseByHandle('a');
    expect(await world.blocks()).toEqual(new Map());
    expect(await assign(0, 'c')).toHaveLength(1);
  });

  test('an address from another than its holder fails, and frees nothing', async () => {
    const [address = ''] = await assign(0, 'a');
    const sequence = (await world.allocators[0]?.lookup(address))?.sequence ?? 0;
    for (const expected of [{ handle: 'b' }, { handle: 'a', sequence: sequence + 1 }]) {
      await expect(world.allocators[1]?.releaseAddress(address, expected)).rejects.toMatchObject({
        code: 'conflict',
      });
    }
    expect(await world.allocators[1]?.releaseAddress(address, { handle: 'a', sequence })).toBe(true);
  });
});

describe('blocks of another size', () => {
  const pool = { blockSize: 29 };

  test('are made where the pool says so, and are found again by address', async () => {
    await world.setPool('10.0.0.0/24', pool);
    const addresses = await assign(0, 'a', 10);
    expect([...(await world.blocks()).keys()].map(cidr => cidr.split('/')[1])).toEqual(['29', '29']);
    const [address = ''] = addresses;
    expect(await world.allocators[1]?.lookup(address)).toMatchObject({ handle: 'a' });
    expect(await world.allocators[1]?.releaseAddress(address)).toBe(true);
    expect(await world.allocators[1]?.releaseByHandle('a')).toHaveLength(9);
  });

  test('keep clear of those that the pool had before', async () => {
    const old = await assign(0, 'a', 3);
    await world.setPool('10.0.0.0/24', pool);
    const young = await assign(1, 'b', 20);
    expect(new Set([...old, ...young]).size).toBe(23);
    const report = await checkIpam({ store: world.store, client: world.client, clock: systemClock });
    expect(report.problems.filter(({ kind }) => kind === 'overlapping-blocks')).toEqual([]);
  });
});

describe('reserved addresses', () => {
  const reserve = (...cidrs: readonly string[]): Promise<void> =>
    setReservation({ store: world.store, clock: systemClock }, { name: 'printers', cidrs });

  test('are not given out by themselves, but to who asks for one', async () => {
    await assign(0, 'early');
    await reserve('10.0.0.0/25', '10.0.0.192/29');
    const addresses = await assign(0, 'a', 64);
    expect(addresses.some(address => inside('10.0.0.0/25', address))).toBe(false);
    expect(addresses.some(address => inside('10.0.0.192/29', address))).toBe(false);
    await world.allocators[0]?.assignAddress({ node: 'n0', handle: 'b', address: '10.0.0.193' });
  });

  test('are named, listed and removed', async () => {
    await reserve('10.0.0.1/25');
    expect(await listReservations(world.store)).toEqual([{ name: 'printers', cidrs: ['10.0.0.0/25'] }]);
    await expect(reserve('10.0.0.1')).rejects.toMatchObject({ code: 'invalid' });
    const parts = { store: world.store, clock: systemClock };
    await removeReservation(parts, 'printers');
    expect(await listReservations(world.store)).toEqual([]);
    await expect(removeReservation(parts, 'printers')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('addresses that the caller knows to be in use', () => {
  test('are passed over, and stay free', async () => {
    const [first = ''] = await assign(0, 'a');
    await world.allocators[0]?.releaseByHandle('a');
    const request = { node: 'n0', count: { 4: 63, 6: 0 } };
    const next = await world.allocators[0]?.assign({
      ...request,
      handle: 'b',
      avoid: each => each === first,
    });
    expect(next?.addresses).not.toContain(first);
    expect(await assign(0, 'c')).toEqual([first]);
  });
});

describe('a limit of blocks per host', () => {
  const limit = (config: object): Promise<unknown> =>
    changeIpamConfig({ store: world.store, clock: systemClock }, config);

  test('needs strict affinity', async () => {
    await expect(limit({ maxBlocksPerHost: 1 })).rejects.toMatchObject({ code: 'invalid' });
    await limit({ maxBlocksPerHost: 1, strictAffinity: true });
    expect(await readIpamConfig(world.store)).toMatchObject({ maxBlocksPerHost: 1, strictAffinity: true });
  });

  test('is said to be the reason when it is reached', async () => {
    await limit({ maxBlocksPerHost: 1, strictAffinity: true });
    await assign(0, 'a', 64);
    await expect(assign(0, 'b')).rejects.toThrow('cannot allocate new block due to per host block limit');
    expect(await assign(1, 'b')).toHaveLength(1);
  });
});

describe('a pool without a free block', () => {
  /** The claims of all blocks, made older than the minute for which a block is its owner's in any case. */
  async function ageBlocks(): Promise<void> {
    for (const { key, value } of (await world.store.list('/calico/ipam/v2/assignment/')).entries) {
      const block = { ...(JSON.parse(value) as object), affinity_claim_time: '2020-01-01T00:00:00.000Z' };
      await world.store.commit({ writes: [{ kind: 'put', key, value: JSON.stringify(block) }] });
    }
  }

  beforeEach(async () => {
    await world.setConfig({ strict_affinity: true, auto_allocate_blocks: true });
    await assign(0, 'a', 256);
    await world.allocators[0]?.releaseByHandle('a');
    await assign(0, 'b', 100);
  });

  test('yields the empty blocks of another node, but not those it claimed just now', async () => {
    await expect(assign(1, 'c')).rejects.toMatchObject({ code: 'exhausted' });
    await ageBlocks();
    expect(await assign(1, 'c', 128)).toHaveLength(128);
    await expect(assign(1, 'd')).rejects.toMatchObject({ code: 'exhausted' });
    const claims = (await world.claims()).map(key => key.split('/')[5]);
    expect(claims).toEqual(['n0', 'n0', 'n1', 'n1']);
    // The loser notices: it must not give out addresses of blocks that are another's by now.
    await expect(assign(0, 'd', 29)).rejects.toMatchObject({ code: 'exhausted' });
    expect(await assign(0, 'd', 28)).toHaveLength(28);
  });

  test('gives the last block to one of two hosts that both want it', async () => {
    await ageBlocks();
    await assign(1, 'c', 64);
    const results = await Promise.allSettled([assign(1, 'd', 64), assign(2, 'e', 64)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
