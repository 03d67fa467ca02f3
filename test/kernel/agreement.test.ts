import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftDataplane } from '../../src/dataplane/index.js';
import type { NftDataplane } from '../../src/dataplane/index.js';
import { createPolicyGraph, emptyModel, evaluate, explainBriefly } from '../../src/policy/index.js';
import type {
  DataplaneUpdate,
  Endpoint,
  Hop,
  Model,
  Packet,
  Place,
  Verdict,
} from '../../src/policy/index.js';
import {
  arbitraryWorld,
  changesBetween,
  here,
  hostAddresses,
  hostInterfaces,
  localSlots,
  remoteAddresses,
  uplinkOf,
  uplinks,
  withSequels,
} from '../support/agreement-worlds.js';
import type { World } from '../support/agreement-worlds.js';
import { smallestModel } from '../support/reduce-world.js';
import { createRange } from '../support/shots.js';
import type { Probe, Range } from '../support/shots.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

/**
 * The two opinions on every packet: what the evaluator says of a random world must be what the kernel does with
 * real packets. Each probe has first passed the same router without a table, so that silence is policy.
 */
const worldCount = Number(process.env['AGREEMENT_WORLDS'] ?? 20);
const seed = Number(process.env['AGREEMENT_SEED'] ?? Math.trunc(Math.random() * 1e9));
const packetsPerWorld = Number(process.env['AGREEMENT_PACKETS'] ?? 150);

let router: Router;
let range: Range;

function wireOf(address: string): string | undefined {
  if (address === hostAddresses[0] || address === hostAddresses[1]) return undefined;
  return localSlots.find(slot => slot.addresses.includes(address))?.interfaceName ?? uplinkOf(address);
}

/** The interfaces that the packet uses on the router, those of workloads left out. */
function hopOf(packet: Packet): Hop {
  const [into, out] = [uplinkOf(packet.source), uplinkOf(packet.destination)];
  return { node: here, ...(into !== undefined && { in: into }), ...(out !== undefined && { out }) };
}

/** The evaluator's opinion of what this one router does: remote ends are somebody else's affair. */
function opinion(model: Model, packet: Packet): Verdict {
  const at = (address: string, remoteHost: string): Place | undefined =>
    remoteAddresses.includes(address)
      ? { host: remoteHost }
      : localSlots.find(slot => slot.addresses.includes(address))?.id;
  const [from, to] = [packet.from ?? at(packet.source, 'there'), at(packet.destination, 'elsewhere')];
  return evaluate(model, {
    ...packet,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    hops: [hopOf(packet)],
  });
}

function probeOf(packet: Packet): Probe {
  const sender = localSlots.find(slot => slot.id === packet.from);
  const from = sender?.interfaceName ?? wireOf(packet.source);
  return { packet, from, to: wireOf(packet.destination) };
}

function control(from: string | undefined, packet: Omit<Packet, 'ipVersion' | 'sourcePort'>): Probe {
  return { packet: { ipVersion: 4, sourcePort: 7, ...packet }, from, to: wireOf(packet.destination) };
}

/** DNS to the host is open to every workload that is up, SSH to all others, and DNS to the host itself. */
function controlsOf(endpoints: readonly Endpoint[]): readonly Probe[] {
  const [host] = hostAddresses;
  const up = endpoints.filter(({ kind, node, adminUp }) => kind === 'workload' && node === here && adminUp);
  return [
    ...up.map(({ interfaceName = '', addresses: [source = ''] }) =>
      control(interfaceName, { source, destination: host, protocol: 17, destinationPort: 53 }),
    ),
    ...uplinks.flatMap(({ interfaceName, addresses }) => {
      const stranger = addresses.findLast(address => !address.includes(':')) ?? '';
      return [
        control(interfaceName, { source: stranger, destination: host, protocol: 6, destinationPort: 22 }),
        control(undefined, { source: host, destination: stranger, protocol: 17, destinationPort: 53 }),
      ];
    }),
  ];
}

beforeAll(async () => {
  router = await createRouter([...localSlots, ...uplinks], hostAddresses);
  range = createRange(router);
});

afterAll(async () => {
  await router.remove();
});

/** How many port indexes and unions of sets the table has: without any, half of the compiler would go untried. */
async function shortcuts(): Promise<{ readonly indexes: number; readonly unions: number }> {
  const { stdout } = await router.nft(['list', 'table', 'inet', 'calico']);
  const count = (what: RegExp): number => stdout.match(what)?.length ?? 0;
  return { indexes: count(/map x-/g), unions: count(/set u[46]-/g) };
}

type Settings = Model['settings'];

/** The first agent drops what the second lets policy decide over. */
const strict: Settings = emptyModel.settings;
const lenient: Settings = {
  ...strict,
  defaultEndpointToHostAction: 'return',
  allowIpipFromWorkloads: true,
  allowVxlanFromWorkloads: true,
};

function dataplane(settings: Settings): NftDataplane {
  const { defaultEndpointToHostAction, allowIpipFromWorkloads, allowVxlanFromWorkloads } = settings;
  return createNftDataplane({
    applier: router.applier,
    config: {
      endpointToHostAction: defaultEndpointToHostAction,
      allowIpipFromWorkloads,
      allowVxlanFromWorkloads,
      // Policy alone shall decide over packets that conntrack cannot make sense of.
      dropInvalid: false,
    },
    log: silentLogger,
    clock: systemClock,
  });
}

type Disagreement = NonNullable<Tally['first']>;

interface Tally {
  allowed: number;
  denied: number;
  indexes: number;
  unions: number;
  /** what host endpoints have decided, at which stage */
  readonly atHosts: Set<string>;
  readonly disagreements: string[];
  first?: { readonly model: Model; readonly packet: Packet; readonly passed: boolean };
}

/** Programs the world and tries its packets. */
async function judge(
  world: World,
  driver: NftDataplane,
  updates: readonly DataplaneUpdate[],
  tally: Tally,
): Promise<void> {
  await driver.apply(updates);
  await router.forgetConnections();
  const { indexes, unions } = await shortcuts();
  tally.indexes += indexes;
  tally.unions += unions;
  const passed = await range.shoot(
    world.packets.map(probeOf),
    controlsOf([...world.model.endpoints.values()]),
  );
  for (const [at, packet] of world.packets.entries()) {
    const verdict = opinion(world.model, packet);
    tally[verdict.allowed ? 'allowed' : 'denied'] += 1;
    for (const { point, endpoint, stage, decision } of verdict.path) {
      if (endpoint?.startsWith('host:') === true)
        tally.atHosts.add(`${point} ${stage ?? 'normal'} ${decision.kind}`);
    }
    if (verdict.allowed === passed[at]) continue;
    const kernel = passed[at] === true ? 'passes' : 'drops';
    tally.first ??= { model: world.model, packet, passed: passed[at] === true };
    tally.disagreements.push(
      `${JSON.stringify(packet)}\n  the kernel ${kernel} it; ${explainBriefly(verdict)}`,
    );
  }
}

/** One agent lives through all of the worlds, from each to the next by what differs. */
async function liveThrough(worlds: readonly World[], settings: Settings, tally: Tally): Promise<void> {
  const graph = createPolicyGraph(here);
  const driver = dataplane(settings);
  await driver.setHostInterfaces(hostInterfaces);
  await driver.start();
  let before: Model | undefined;
  for (const { model: drawn, packets } of worlds) {
    const model: Model = { ...drawn, settings };
    await judge({ model, packets }, driver, graph.apply(changesBetween(before, model)), tally);
    before = model;
  }
  await driver.stop();
}

/** Whether they differ on that packet in the same way in a world that is programmed afresh. */
async function differs(model: Model, { packet, passed: did }: Disagreement): Promise<boolean> {
  const driver = dataplane(model.settings);
  await driver.setHostInterfaces(hostInterfaces);
  await driver.apply(createPolicyGraph(here).apply(changesBetween(undefined, model)));
  await router.forgetConnections();
  const [passed] = await range.shoot([probeOf(packet)], controlsOf([...model.endpoints.values()]));
  await driver.stop();
  return passed === did && opinion(model, packet).allowed !== did;
}

/** The smallest world that shows the first disagreement; for a test of its own. */
async function smallestWorld(first: Disagreement): Promise<string> {
  const { model } = first;
  if (!(await differs(model, first))) return 'programmed afresh they agree: it takes the worlds before';
  const { endpoints, policies, profiles } = await smallestModel(
    model,
    async less => await differs(less, first),
  );
  const content = [endpoints, policies, profiles].map(each => [...each.values()]);
  const plain = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${String(value)}n` : value;
  return `smallest world: ${JSON.stringify(content, plain, 1)}`;
}

describe('evaluator and kernel', () => {
  test(`agree on ${String(worldCount)} random worlds (AGREEMENT_SEED=${String(seed)})`, async () => {
    const worlds = withSequels(fc.sample(arbitraryWorld(packetsPerWorld), { seed, numRuns: worldCount }));
    const all = [...(worlds[0]?.model.endpoints.values() ?? [])].map(endpoint => ({
      ...endpoint,
      adminUp: true,
    }));
    for (const { packets } of worlds) {
      const passed = await range.shoot(packets.map(probeOf), controlsOf(all));
      expect(packets.filter((_, index) => passed[index] !== true)).toStrictEqual([]);
    }

    const tally: Tally = {
      allowed: 0,
      denied: 0,
      indexes: 0,
      unions: 0,
      atHosts: new Set(),
      disagreements: [],
    };
    const half = Math.ceil(worldCount / 2);
    await liveThrough(worlds.slice(0, half), strict, tally);
    // The second agent finds the table of the first.
    await liveThrough(worlds.slice(half), lenient, tally);
    if (tally.first !== undefined) tally.disagreements.push(await smallestWorld(tally.first));
    expect(tally.disagreements).toStrictEqual([]);
    // Worlds in which nothing or everything passes, or no list has an index or a union, or host endpoints are idle, would agree too easily.
    expect(Math.min(tally.allowed, tally.denied)).toBeGreaterThan(worldCount * 10);
    expect(Math.min(tally.indexes, tally.unions)).toBeGreaterThan(0);
    expect(tally.atHosts.size).toBeGreaterThan(3);
  });
});
