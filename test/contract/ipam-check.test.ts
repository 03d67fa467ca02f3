import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import type { Clock } from '../../src/base/index.js';
import {
  checkIpam,
  createAllocator,
  describeProblem,
  repairIpam,
  setReservation,
  showAddress,
  usage,
} from '../../src/ipam/index.js';
import type { Allocator, IpamProblem, IpamReport, RepairOutcome } from '../../src/ipam/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';

let world: IpamWorld;
let allocator: Allocator;

/** Far enough ahead that nothing counts as just assigned. */
const later: Clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 };

beforeEach(async () => {
  world = await openIpamWorld();
  allocator = createAllocator({ store: world.store, clock: systemClock });
  await world.setPool('10.0.0.0/24');
  await addHost('n0');
  await addHost('n1');
});

afterEach(async () => world.close());

async function addHost(name: string): Promise<void> {
  await world.client.write([
    { verb: 'create', resource: { apiVersion: 'v1', kind: 'node', metadata: { name }, spec: {} } },
  ]);
}

async function addEndpoint(workload: string, address: string, node = 'n0'): Promise<void> {
  await world.client.write([
    {
      verb: 'apply',
      resource: {
        apiVersion: 'v1',
        kind: 'workloadEndpoint',
        metadata: { node, orchestrator: 'cni', workload, name: 'eth0' },
        spec: { interfaceName: 'cali1', ipNetworks: [`${address}/32`] },
      },
    },
  ]);
}

async function assign(handle: string, count = 1, node = 'n0'): Promise<readonly string[]> {
  const attributes = { node, containerid: handle, timestamp: new Date(systemClock.now()).toISOString() };
  return (await allocator.assign({ node, handle, attributes, count: { 4: count, 6: 0 } })).addresses;
}

async function assignWithEndpoint(handle: string): Promise<string> {
  const [address = ''] = await assign(handle);
  await addEndpoint(handle, address);
  return address;
}

const check = async (clock = later): Promise<IpamReport> =>
  checkIpam({ store: world.store, client: world.client, clock });

const problems = async (): Promise<readonly IpamProblem[]> => (await check()).problems;

async function repair(): Promise<RepairOutcome> {
  return repairIpam({ store: world.store, allocator, clock: systemClock }, await check());
}

async function put(key: string, value: object): Promise<void> {
  await world.store.commit({
    writes: [{ kind: 'put', key: `/calico/ipam/v2/${key}`, value: JSON.stringify(value) }],
  });
}

async function remove(key: string): Promise<void> {
  await world.store.commit({ writes: [{ kind: 'delete', key: `/calico/ipam/v2/${key}` }] });
}

async function onlyBlock(): Promise<string> {
  return [...(await world.blocks()).keys()][0] ?? '';
}

describe('a check', () => {
  test('of sound records counts what there is, and finds nothing', async () => {
    await assignWithEndpoint('a');
    const { counts, problems: found, revision } = await check();
    expect(counts).toEqual({ pools: 1, blocks: 1, addresses: 1, handles: 1, endpoints: 1, hosts: 2 });
    expect(found).toEqual([]);
    expect(revision).toBeGreaterThan(0);
  });

  test('finds the address whose endpoint is gone, and releases it', async () => {
    const [address] = await assign('a');
    await assignWithEndpoint('b');
    expect(await problems()).toMatchObject([{ kind: 'leaked', address, handle: 'a', node: 'n0' }]);
    expect((await repair()).repaired).toHaveLength(1);
    expect(await problems()).toEqual([]);
    expect([...(await world.handles()).keys()]).toEqual(['b']);
  });

  test('does not take for leaked what was assigned just now, or is no workload of ours', async () => {
    await assign('a');
    expect((await check(systemClock)).problems).toEqual([]);
    await allocator.releaseByHandle('a');
    const request = { node: 'n0', count: { 4: 1, 6: 0 } };
    for (const attributes of [{ type: 'ipipTunnelAddress' }, { plugin: 'bridge' }]) {
      await allocator.assign({ ...request, handle: JSON.stringify(attributes), attributes });
    }
    expect(await problems()).toEqual([]);
  });

  test('finds all that a removed host left, and removes it', async () => {
    await assignWithEndpoint('a');
    await assign('tunnel', 1, 'gone');
    expect((await check(systemClock)).problems).toMatchObject([
      { kind: 'block-of-removed-host', node: 'gone' },
      { kind: 'leaked', handle: 'tunnel', node: 'gone' },
    ]);
    await repair();
    expect(await problems()).toEqual([]);
    expect((await world.blocks()).size).toBe(1);
    expect(await world.claims()).toHaveLength(1);
  });

  test('releases nothing that has another holder since the report', async () => {
    const [address = ''] = await assign('a');
    const report = await check();
    await allocator.releaseByHandle('a');
    await allocator.assignAddress({ node: 'n0', handle: 'b', address });
    const { left } = await repairIpam({ store: world.store, allocator, clock: systemClock }, report);
    expect(left).toMatchObject([{ reason: `${address} has another holder by now: not released` }]);
    expect(await allocator.addressesOf('b')).toEqual([address]);
  });

  test('finds an endpoint whose address is not allocated, and allocates it', async () => {
    await addEndpoint('a', '10.0.0.9');
    await addEndpoint('foreign', '172.16.0.1');
    expect(await problems()).toEqual([
      { kind: 'not-allocated', address: '10.0.0.9', endpoint: 'n0/cni/a/eth0', node: 'n0', handle: 'a' },
    ]);
    await repair();
    expect(await problems()).toEqual([]);
    expect(await allocator.addressesOf('a')).toEqual(['10.0.0.9']);
  });

  test('finds an address of two endpoints, which only the operator can mend', async () => {
    const address = await assignWithEndpoint('a');
    await addEndpoint('b', address, 'n1');
    const endpoints = ['n0/cni/a/eth0', 'n1/cni/b/eth0'];
    expect(await problems()).toEqual([{ kind: 'several-owners', address, endpoints }]);
    expect((await repair()).left).toMatchObject([{ reason: 'delete all but one of the endpoints' }]);
  });

  test('finds addresses outside all pools', async () => {
    const address = await assignWithEndpoint('a');
    await world.client.write([
      {
        verb: 'delete',
        resource: { apiVersion: 'v1', kind: 'ipPool', metadata: { cidr: '10.0.0.0/24' }, spec: {} },
      },
    ]);
    expect(await problems()).toMatchObject([{ kind: 'outside-pools', address, handle: 'a' }]);
  });

  test('makes handles agree with blocks', async () => {
    await assignWithEndpoint('a');
    const block = await onlyBlock();
    await put('handle/a', { block: { [block]: 7 } });
    await put('handle/b', { block: { [block]: 1, '10.0.0.0/26': 2 } });
    await put('handle/empty', { block: {} });
    expect((await problems()).map(({ kind }) => kind)).toEqual(
      Array.from({ length: block === '10.0.0.0/26' ? 3 : 4 }, () => 'handle-without-addresses'),
    );
    await repair();
    expect(await problems()).toEqual([]);
    await remove('handle/a');
    expect(await problems()).toMatchObject([{ kind: 'addresses-without-handle', counted: 0, held: 1 }]);
    await repair();
    expect(await world.handles()).toEqual(new Map([['a', { [block]: 1 }]]));
  });

  test('makes claims agree with blocks', async () => {
    await assignWithEndpoint('a');
    const block = (await onlyBlock()).replace('/', '-');
    await remove(`host/n0/ipv4/block/${block}`);
    await put(`host/n1/ipv4/block/${block}`, {});
    await put('host/n1/ipv4/block/10.0.9.0-26', { state: 'pending' });
    expect((await problems()).map(({ kind }) => kind).sort()).toEqual([
      'block-without-claim',
      'claim-without-block',
      'claim-without-block',
    ]);
    await repair();
    expect(await problems()).toEqual([]);
    expect(await world.claims()).toEqual([`/calico/ipam/v2/host/n0/ipv4/block/${block}`]);
  });

  test('completes a claim that was not', async () => {
    await assignWithEndpoint('a');
    await put(`host/n0/ipv4/block/${(await onlyBlock()).replace('/', '-')}`, { state: 'pending' });
    expect(await problems()).toMatchObject([{ kind: 'block-without-claim', node: 'n0' }]);
    await repair();
    expect(await problems()).toEqual([]);
  });

  test('names records that cannot be read, and blocks that overlap', async () => {
    await put('assignment/ipv4/block/10.0.0.0-26', { cidr: '10.0.0.0/26' });
    for (const cidr of ['10.0.1.0/26', '10.0.1.0/27']) {
      const size = cidr.endsWith('26') ? 64 : 32;
      const allocations = Array.from({ length: size }, () => null);
      await put(`assignment/ipv4/block/${cidr.replace('/', '-')}`, { cidr, allocations, attributes: [] });
    }
    const found = await problems();
    expect(found.map(describeProblem)).toEqual([
      'the record /calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26 cannot be read',
      'blocks 10.0.1.0/26 and 10.0.1.0/27 overlap',
    ]);
    expect((await repair()).left).toHaveLength(2);
  });
});

describe('the usage', () => {
  test('is counted by pool, block and host, with what is reserved and borrowed', async () => {
    await world.setPool('fd00::/64');
    await setReservation(
      { store: world.store, clock: systemClock },
      { name: 'r', cidrs: ['10.0.0.240/28', '10.0.0.240/29'] },
    );
    await assign('a', 3);
    const [address = ''] = await assign('b', 1, 'n0');
    await allocator.releaseByHandle('b');
    await allocator.assignAddress({ node: 'n1', handle: 'b', address, attributes: { node: 'n1' } });
    const { pools, blocks, hosts, borrowed } = await usage(world.store);
    expect(pools).toMatchObject([
      { cidr: '10.0.0.0/24', blockLength: 26, blocks: 1, total: 256, used: 4, free: 256 - 4 - 16 },
      { cidr: 'fd00::/64', version: 6, blocks: 0, total: 2 ** 64, used: 0 },
    ]);
    expect(blocks).toMatchObject([{ pool: '10.0.0.0/24', node: 'n0', total: 64, used: 4 }]);
    expect(hosts).toEqual([
      { node: 'n0', blocks: 1, used: 3, borrowed: 0 },
      { node: 'n1', blocks: 0, used: 1, borrowed: 1 },
    ]);
    expect(borrowed).toMatchObject([{ address, owner: 'n0', node: 'n1', handle: 'b' }]);
  });

  test('of one address says who has it, and what keeps it free', async () => {
    const [address = ''] = await assign('a');
    await setReservation(
      { store: world.store, clock: systemClock },
      { name: 'dns', cidrs: ['192.168.0.53/32'] },
    );
    expect(await showAddress(world.store, address)).toMatchObject({
      pool: '10.0.0.0/24',
      block: await onlyBlock(),
      blockOwner: 'n0',
      assignment: { handle: 'a', attributes: { node: 'n0' } },
      reservedBy: [],
    });
    expect(await showAddress(world.store, '192.168.0.53')).toEqual({
      address: '192.168.0.53',
      pool: undefined,
      block: undefined,
      blockOwner: undefined,
      assignment: undefined,
      reservedBy: ['dns'],
    });
    expect(await showAddress(world.store, '10.0.0')).toBeUndefined();
  });
});
