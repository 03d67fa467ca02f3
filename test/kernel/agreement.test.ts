import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftApplier, createNftDataplane } from '../../src/dataplane/index.js';
import type { NftDataplane } from '../../src/dataplane/index.js';
import { createPolicyGraph, evaluate, explainBriefly } from '../../src/policy/index.js';
import type { DataplaneUpdate, Endpoint, Model, Packet, Verdict } from '../../src/policy/index.js';
import { defaultCast } from '../support/policy-arbitrary.js';
import {
  arbitraryWorld,
  changesBetween,
  here,
  hostAddresses,
  localSlots,
  remoteAddresses,
} from '../support/agreement-worlds.js';
import type { World } from '../support/agreement-worlds.js';
import { createRange } from '../support/shots.js';
import type { Probe, Range } from '../support/shots.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

/**
 * The two opinions on every packet: what the evaluator says of a random world must be what the kernel does with
 * real packets. Each probe has first passed the same router without a table, so that silence is policy.
 */
const worldCount = Number(process.env['AGREEMENT_WORLDS'] ?? 10);
const seed = Number(process.env['AGREEMENT_SEED'] ?? Math.trunc(Math.random() * 1e9));
const packetsPerWorld = 150;

const uplink = 'eth0';

let router: Router;
let range: Range;

function wireOf(address: string): string | undefined {
  if (address === hostAddresses[0] || address === hostAddresses[1]) return undefined;
  return localSlots.find(slot => slot.addresses.includes(address))?.interfaceName ?? uplink;
}

/** The evaluator's opinion of what this one router does: remote ends are somebody else's affair. */
function opinion(model: Model, packet: Packet): Verdict {
  const elsewhere = { host: 'there' };
  return evaluate(model, {
    ...packet,
    ...(packet.from === undefined && remoteAddresses.includes(packet.source) && { from: elsewhere }),
    ...(remoteAddresses.includes(packet.destination) && { to: elsewhere }),
  });
}

function probeOf(packet: Packet): Probe {
  const sender = localSlots.find(slot => slot.id === packet.from);
  const from = sender?.interfaceName ?? wireOf(packet.source) ?? uplink;
  return { packet, from, to: wireOf(packet.destination) };
}

function control(from: string, source: string, destination: string): Probe {
  const packet: Packet = {
    ipVersion: 4,
    protocol: 17,
    source,
    destination,
    sourcePort: 7,
    destinationPort: 53,
  };
  return { packet, from, to: wireOf(destination) };
}

/** DNS to the host is open to every workload that is up, and nothing polices strangers among themselves. */
function controlsOf(endpoints: readonly Endpoint[]): readonly Probe[] {
  const up = endpoints.filter(({ node, adminUp }) => node === here && adminUp);
  return [
    ...up.map(({ interfaceName = '', addresses }) =>
      control(interfaceName, addresses[0] ?? '', hostAddresses[0] ?? ''),
    ),
    control(uplink, '192.0.2.1', '198.51.100.7'),
  ];
}

beforeAll(async () => {
  router = await createRouter(
    [...localSlots, { interfaceName: uplink, addresses: [...remoteAddresses, ...defaultCast.outside] }],
    hostAddresses,
  );
  range = createRange(router);
});

afterAll(async () => {
  await router.remove();
});

/** How many port indexes the table has: without any, half of the compiler would go untried. */
async function portIndexes(): Promise<number> {
  const { stdout } = await router.nft(['list', 'table', 'inet', 'calico']);
  return stdout.match(/map x-/g)?.length ?? 0;
}

function dataplane(action: 'drop' | 'return'): NftDataplane {
  return createNftDataplane({
    applier: createNftApplier(router.nft),
    // Policy alone shall decide over packets that conntrack cannot make sense of.
    config: { endpointToHostAction: action, dropInvalid: false },
    log: silentLogger,
    clock: systemClock,
  });
}

interface Tally {
  allowed: number;
  denied: number;
  indexes: number;
  readonly disagreements: string[];
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
  tally.indexes += await portIndexes();
  const passed = await range.shoot(
    world.packets.map(probeOf),
    controlsOf([...world.model.endpoints.values()]),
  );
  for (const [at, packet] of world.packets.entries()) {
    const verdict = opinion(world.model, packet);
    tally[verdict.allowed ? 'allowed' : 'denied'] += 1;
    if (verdict.allowed === passed[at]) continue;
    const kernel = passed[at] === true ? 'passes' : 'drops';
    tally.disagreements.push(
      `${JSON.stringify(packet)}\n  the kernel ${kernel} it; ${explainBriefly(verdict)}`,
    );
  }
}

/** One agent lives through all of the worlds, from each to the next by what differs. */
async function liveThrough(worlds: readonly World[], action: 'drop' | 'return', tally: Tally): Promise<void> {
  const graph = createPolicyGraph(here);
  const driver = dataplane(action);
  await driver.start();
  let before: Model | undefined;
  for (const { model: drawn, packets } of worlds) {
    const model: Model = { ...drawn, settings: { ...drawn.settings, defaultEndpointToHostAction: action } };
    await judge({ model, packets }, driver, graph.apply(changesBetween(before, model)), tally);
    before = model;
  }
  await driver.stop();
}

describe('evaluator and kernel', () => {
  test(`agree on ${String(worldCount)} random worlds (AGREEMENT_SEED=${String(seed)})`, async () => {
    const worlds = fc.sample(arbitraryWorld(packetsPerWorld), { seed, numRuns: worldCount });
    const all = [...(worlds[0]?.model.endpoints.values() ?? [])].map(endpoint => ({
      ...endpoint,
      adminUp: true,
    }));
    for (const { packets } of worlds) {
      const passed = await range.shoot(packets.map(probeOf), controlsOf(all));
      expect(packets.filter((_, index) => passed[index] !== true)).toStrictEqual([]);
    }

    const tally: Tally = { allowed: 0, denied: 0, indexes: 0, disagreements: [] };
    const half = Math.ceil(worldCount / 2);
    await liveThrough(worlds.slice(0, half), 'drop', tally);
    // The second agent finds the table of the first.
    await liveThrough(worlds.slice(half), 'return', tally);
    expect(tally.disagreements).toStrictEqual([]);
    // Worlds in which nothing or everything passes, or no list has an index, would agree too easily.
    expect(Math.min(tally.allowed, tally.denied)).toBeGreaterThan(worldCount * 10);
    expect(tally.indexes).toBeGreaterThan(0);
  });
});
