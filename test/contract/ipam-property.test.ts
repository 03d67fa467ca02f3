import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCalicoError, systemClock } from '../../src/base/index.js';
import { setReservation } from '../../src/ipam/index.js';
import { addressAt, formatIp, parseCidr } from '../../src/net/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';

const hosts = 3;
const handles = ['a', 'b', 'c', 'd', 'e'];
const pools = ['10.0.0.0/25', '10.1.0.0/26', 'fd00::/121'];

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('assign' as const),
      host: fc.nat(hosts - 1),
      handle: fc.constantFrom(...handles),
      four: fc.nat(20),
      six: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      host: fc.nat(hosts - 1),
      handle: fc.constantFrom(...handles),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release-one' as const),
      host: fc.nat(hosts - 1),
      pick: fc.nat(1000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('leave' as const), host: fc.nat(hosts - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('give-back' as const),
      host: fc.nat(hosts - 1),
      pick: fc.nat(1000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      host: fc.nat(hosts - 1),
      range: fc.constantFrom('10.0.0.0/27', '10.0.0.64/26', '10.2.0.8/29', 'fd00::/124'),
    }),
  },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Who holds what, as the answers of the allocators say. */
type Model = Map<string, string>;

/** Carries out a step; returns what was wrong with the answer. */
async function run(world: IpamWorld, model: Model, step: Operation): Promise<readonly string[]> {
  const allocator = world.allocators[step.host];
  if (allocator === undefined) throw new Error('no such host');
  const node = `n${String(step.host)}`;
  switch (step.kind) {
    case 'assign': {
      const count = { 4: step.four, 6: step.six };
      const request = { node, handle: step.handle, count, attributes: { node } };
      const addresses = await allocator.assign(request).then(
        answer => answer.addresses,
        (error: unknown) => {
          if (isCalicoError(error, 'exhausted', 'not-found')) return undefined;
          throw error;
        },
      );
      if (addresses === undefined) return [];
      const twice = addresses.filter(address => model.has(address)).map(address => `${address} given twice`);
      for (const address of addresses) model.set(address, step.handle);
      return addresses.length === step.four + step.six ? twice : [...twice, 'another number than asked for'];
    }
    case 'release': {
      const freed = await allocator.releaseByHandle(step.handle);
      const foreign = freed.filter(address => model.get(address) !== step.handle);
      for (const address of freed) model.delete(address);
      return foreign.map(address => `${address} freed, but ${step.handle} did not hold it`);
    }
    case 'release-one': {
      const address = [...model.keys()][step.pick % Math.max(1, model.size)];
      if (address !== undefined && (await allocator.releaseAddress(address))) model.delete(address);
      return [];
    }
    case 'leave':
      await allocator.releaseAffinities(node);
      return [];
    case 'give-back': {
      const blocks = [...(await world.blocks()).keys()];
      const block = blocks[step.pick % Math.max(1, blocks.length)];
      if (block !== undefined) await allocator.releaseBlock(node, block);
      return [];
    }
    case 'reserve':
      await setReservation({ store: world.store, clock: systemClock }, { name: 'r', cidrs: [step.range] });
  }
  return [];
}

/** What must always hold of the stored records, and that they say the same as the model. */
async function expectConsistent(world: IpamWorld, model: Model): Promise<void> {
  const held = new Map<string, string>();
  const counts = new Map<string, Record<string, number>>();
  const owners = new Map<string, string>();
  for (const [cidr, block] of await world.blocks()) {
    const network = parseCidr(cidr);
    if (network === undefined) throw new Error(`bad block ${cidr}`);
    if (block.affinity !== null) owners.set(cidr, block.affinity.replace('host:', ''));
    const used = new Set<number>();
    for (const [ordinal, index] of block.allocations.entries()) {
      if (index === null) continue;
      used.add(index);
      const handle = block.attributes[index]?.handle_id ?? '';
      held.set(formatIp(addressAt(network, ordinal)), handle);
      const count = counts.get(handle) ?? {};
      counts.set(handle, { ...count, [cidr]: (count[cidr] ?? 0) + 1 });
    }
    expect(used.size).toBe(block.attributes.length);
    const free = block.allocations.flatMap((index, ordinal) => (index === null ? [ordinal] : []));
    expect([...block.unallocated].sort((a, b) => a - b)).toEqual(free);
    expect(used.size > 0 || block.affinity !== null).toBe(true);
  }
  expect(held).toEqual(model);
  expect(counts).toEqual(await world.handles());
  const claims = [...owners].map(([cidr, node]) => {
    const version = cidr.includes(':') ? 'ipv6' : 'ipv4';
    return `/calico/ipam/v2/host/${node}/${version}/block/${cidr.replace('/', '-')}`;
  });
  expect([...(await world.claims())].sort()).toEqual(claims.sort());
}

let etcd: EtcdServer;

beforeAll(async () => {
  etcd = await startEtcd();
});

afterAll(async () => etcd.dispose());

interface Store {
  readonly name: string;
  open(): Promise<IpamWorld>;
  /** A property costs more on a server. */
  readonly share: number;
}

const stores: readonly Store[] = [
  { name: 'an embedded store', open: async () => openIpamWorld(hosts), share: 1 },
  {
    name: 'etcd',
    open: async () => {
      await etcd.empty();
      return openIpamWorld(hosts, etcd);
    },
    share: 0.2,
  },
];

async function withWorld(store: Store, body: (world: IpamWorld) => Promise<void>): Promise<void> {
  const world = await store.open();
  try {
    for (const pool of pools) await world.setPool(pool);
    await world.setPool('10.2.0.0/27', { blockSize: 29 });
    await body(world);
  } finally {
    await world.close();
  }
}

describe.each(stores)('several allocators on $name', store => {
  test('agree with the model, and blocks with handles and claims, after any operations in a row', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async steps =>
        withWorld(store, async world => {
          const model: Model = new Map();
          for (const step of steps) expect(await run(world, model, step)).toEqual([]);
          await expectConsistent(world, model);
        }),
      ),
      { numRuns: 40 * store.share },
    );
  });

  test('keep the records consistent when operations run at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 2, maxLength: 25 }), async steps =>
        withWorld(store, async world => {
          const sink: Model = new Map();
          // While others run, an answer may be older than the model: only the end state is compared.
          await Promise.all(steps.map(async step => run(world, sink, step)));
          const actual: Model = new Map();
          for (const handle of handles) {
            for (const address of (await world.allocators[0]?.addressesOf(handle)) ?? []) {
              expect(actual.has(address)).toBe(false);
              actual.set(address, handle);
            }
          }
          await expectConsistent(world, actual);
        }),
      ),
      { numRuns: 25 * store.share },
    );
  });

  test('racing for the same pool never give an address twice and use it up to the last', async () => {
    await withWorld(store, async world => {
      const requests = Array.from({ length: 186 }, (_, i) => ({ host: i % hosts, handle: `h${String(i)}` }));
      const answers = await Promise.all(
        requests.map(async ({ host, handle }) => {
          const node = `n${String(host)}`;
          return world.allocators[host]?.assign({
            node,
            handle,
            count: { 4: 1, 6: 0 },
            attributes: { node },
          });
        }),
      );
      const addresses = answers.flatMap(answer => answer?.addresses ?? []);
      expect(new Set(addresses).size).toBe(186);
      await expectConsistent(world, new Map(addresses.map((address, i) => [address, `h${String(i)}`])));
      const rest = await world.allocators[0]?.assign({ node: 'n0', handle: 'z', count: { 4: 6, 6: 0 } });
      expect(rest?.addresses).toHaveLength(6);
    });
  });
});
