import { spawnSync } from 'node:child_process';
import { silentLogger } from '../src/base/index.js';
import { createNetlinkNftApplier, createNftApplier } from '../src/dataplane/index.js';
import type { NftApplier } from '../src/dataplane/index.js';
import { createCompiler } from '../src/dataplane/nft/compile.js';
import { defaultNftConfig } from '../src/dataplane/nft/config.js';
import { transactionFrom, transactionOf } from '../src/dataplane/nft/diff.js';
import type { Transaction } from '../src/dataplane/nft/diff.js';
import type { NftSet } from '../src/dataplane/nft/model.js';
import type { DataplaneUpdate, EndpointId, PolicyId, ProfileId, SetId } from '../src/policy/index.js';

/**
 * The same transactions by our own netlink and by the nft program, each in a table of 1,000 endpoints, 100
 * policies and 100 sets. Wants root and nft; it works in a network namespace of its own.
 */
const ENDPOINTS = 1_000;
const POLICIES = 100;
const MEMBERS = 100;
const MANY = 10_000;

const address = (first: number, index: number): string =>
  `${String(first)}.${String(index >> 16)}.${String((index >> 8) & 255)}.${String(index & 255)}`;

function endpoint(index: number): DataplaneUpdate {
  const id = `cali${String(index)}` as EndpointId;
  const policies = [`p${String(index % POLICIES)}`, `p${String((index + 1) % POLICIES)}`] as PolicyId[];
  return {
    kind: 'endpoint-updated',
    id,
    local: {
      endpoint: {
        id,
        kind: 'workload',
        node: 'here',
        labels: {},
        profiles: ['open' as ProfileId],
        interfaceName: id,
        addresses: [address(10, index)],
        adminUp: true,
      },
      tiers: [{ name: 'default', ingress: policies, egress: [] }],
    },
  };
}

function world(): readonly DataplaneUpdate[] {
  const indexes = Array.from({ length: POLICIES }, (_, index) => index);
  const open = [{ action: 'allow', match: {} }] as const;
  return [
    ...indexes.map((index): DataplaneUpdate => ({
      kind: 'set-created',
      id: `s${String(index)}` as SetId,
      members: new Set(
        Array.from({ length: MEMBERS }, (_, member) => `${address(11, index * MEMBERS + member)}/32`),
      ),
    })),
    ...indexes.map((index): DataplaneUpdate => ({
      kind: 'policy-updated',
      id: `p${String(index)}` as PolicyId,
      rules: {
        ingress: [
          {
            action: 'allow',
            match: {
              protocol: 6,
              destinationPorts: [{ min: 8000 + index, max: 8000 + index }],
              sourceSets: [`s${String(index)}` as SetId],
            },
          },
        ],
        egress: [],
      },
    })),
    { kind: 'profile-updated', id: 'open' as ProfileId, rules: { ingress: open, egress: open } },
    ...Array.from({ length: ENDPOINTS }, (_, index) => endpoint(index)),
  ];
}

/** One thing to do and its reverse, so that it can be measured again and again. */
interface Case {
  readonly name: string;
  readonly there: Transaction;
  readonly back: Transaction;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Milliseconds of `there`, the median of `rounds`. */
async function measure(applier: NftApplier, { there, back }: Case, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await applier.apply(there);
    times.push(performance.now() - start);
    await applier.apply(back);
  }
  return median(times);
}

const figure = (ms: number): string => (ms < 1 ? `${(ms * 1000).toFixed(0)} us` : `${ms.toFixed(1)} ms`);

async function run(): Promise<void> {
  const compiler = createCompiler(defaultNftConfig, silentLogger);
  compiler.accept(world());
  const whole = transactionFrom(undefined, compiler.ruleset());
  compiler.takePatch();
  const changed = (updates: readonly DataplaneUpdate[]): Transaction => {
    compiler.accept(updates);
    return transactionOf(compiler.takePatch(), compiler.ruleset());
  };
  const id = 's7' as SetId;
  const members = ['192.0.2.77/32'];
  const oneMember: Case = {
    name: `one member of a set, among ${String(POLICIES)} sets`,
    there: changed([{ kind: 'set-changed', id, added: members, removed: [] }]),
    back: changed([{ kind: 'set-changed', id, added: [], removed: members }]),
  };
  const oneEndpoint: Case = {
    name: `one endpoint, among ${String(ENDPOINTS)}`,
    there: changed([endpoint(ENDPOINTS)]),
    back: changed([{ kind: 'endpoint-removed', id: `cali${String(ENDPOINTS)}` as EndpointId }]),
  };
  const set: NftSet = { name: 's4-many', key: ['ipv4_addr'], verdicts: false };
  const elements = new Map(Array.from({ length: MANY }, (_, index) => [address(12, index), null]));
  const many: Case = {
    name: `a set of ${String(MANY)} members`,
    there: [
      { op: 'add-set', set },
      { op: 'add-elements', set, elements },
    ],
    back: [{ op: 'delete-set', set }],
  };
  const all: Case = {
    name: 'the whole table',
    there: whole,
    back: [{ op: 'delete-table' }],
  };
  const netlink = await createNetlinkNftApplier();
  const program = createNftApplier();
  const compare = async (each: Case, rounds: readonly [number, number]): Promise<void> => {
    const [own, nft] = [await measure(netlink, each, rounds[0]), await measure(program, each, rounds[1])];
    console.log(`${each.name}: netlink ${figure(own)}, nft ${figure(nft)}, ratio ${(nft / own).toFixed(1)}`);
  };
  await compare(all, [5, 5]);
  await netlink.apply(whole);
  await compare(oneMember, [2_000, 20]);
  await compare(oneEndpoint, [500, 20]);
  await compare(many, [20, 5]);
  const reading: number[] = [];
  for (const applier of [netlink, program]) {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      await applier.readBack();
      times.push(performance.now() - start);
    }
    reading.push(median(times));
  }
  const [own = NaN, nft = NaN] = reading;
  console.log(`reading it back: netlink ${figure(own)}, nft ${figure(nft)}, ratio ${(nft / own).toFixed(1)}`);
  netlink.close();
}

if (process.env['NFT_APPLY_INSIDE'] === undefined) {
  const { status } = spawnSync('unshare', ['--net', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, NFT_APPLY_INSIDE: 'yes' },
  });
  process.exitCode = status ?? 1;
} else await run();
