import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftDataplane } from '../../src/dataplane/index.js';
import type { NftConfig, NftDataplane } from '../../src/dataplane/index.js';
import type {
  ActiveRule,
  DataplaneUpdate,
  EndpointId,
  Packet,
  PolicyId,
  ProfileId,
} from '../../src/policy/index.js';
import { tcpFlag } from '../support/packets.js';
import { eventually } from '../support/netns.js';
import { createPacketLog } from '../support/packet-log.js';
import type { PacketLog } from '../support/packet-log.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

const open = { interfaceName: 'calia1', addresses: ['10.65.0.1'] };
const closed = { interfaceName: 'calib2', addresses: ['10.65.0.2'] };
const empty = { interfaceName: 'calic3', addresses: ['10.65.0.3'] };
const down = { interfaceName: 'calid4', addresses: ['10.65.0.4'] };
const stranger = { interfaceName: 'calie5', addresses: ['10.65.0.5'] };
const outside = { interfaceName: 'eth0', addresses: ['192.0.2.1'] };
const hostAddress = '10.65.255.1';
const logGroup = 5;

let router: Router;
let log: PacketLog;
let driver: NftDataplane | undefined;
let nextMark = 1;

const allow: ActiveRule = { action: 'allow', match: {} };
const rules: readonly ActiveRule[] = [
  { action: 'deny', match: { protocol: 17, destinationPorts: [{ min: 9, max: 9 }] } },
  { action: 'log', match: { protocol: 17, destinationPorts: [{ min: 7, max: 7 }] } },
  { action: 'allow', match: { protocol: 17, destinationPorts: [{ min: 7, max: 7 }] } },
];

function workload(
  wire: typeof open,
  {
    policies = [],
    profiles = [],
    adminUp = true,
  }: { policies?: string[]; profiles?: string[]; adminUp?: boolean },
): DataplaneUpdate {
  const id = wire.interfaceName as EndpointId;
  const tier = { name: 'default', ingress: policies as PolicyId[], egress: [] };
  const about = { kind: 'workload', node: 'here', labels: {}, ...wire, adminUp } as const;
  const endpoint = { id, profiles: profiles as ProfileId[], ...about };
  return {
    kind: 'endpoint-updated',
    id,
    local: { endpoint, tiers: policies.length === 0 ? [] : [tier] },
  };
}

const state: readonly DataplaneUpdate[] = [
  { kind: 'profile-updated', id: 'open' as ProfileId, rules: { ingress: [allow], egress: [allow] } },
  { kind: 'profile-updated', id: 'none' as ProfileId, rules: { ingress: [], egress: [] } },
  { kind: 'policy-updated', id: 'some' as PolicyId, rules: { ingress: rules, egress: [] } },
  workload(open, { profiles: ['open'] }),
  workload(closed, { policies: ['some'], profiles: ['none'] }),
  workload(empty, {}),
  workload(down, { profiles: ['open'], adminUp: false }),
];

function udp(from: typeof open, destination: string, destinationPort = 1): Packet {
  const [source = ''] = from.addresses;
  return { ipVersion: 4, protocol: 17, source, destination, sourcePort: 40_000 + nextMark, destinationPort };
}

function send(from: typeof open, packet: Packet, tcpFlags?: number): number {
  const mark = nextMark++;
  router.send(from.interfaceName, packet, mark, tcpFlags === undefined ? {} : { tcpFlags });
  return mark;
}

async function start(config: Partial<NftConfig> = {}): Promise<void> {
  driver = createNftDataplane({
    applier: router.applier,
    config: { logGroup, ...config },
    log: silentLogger,
    clock: systemClock,
  });
  await driver.apply(state);
}

/** The packets dropped for each reason so far; those of none are left out. */
async function drops(): Promise<Readonly<Record<string, number>>> {
  const all = [...((await driver?.drops()) ?? [])].map(([reason, { packets }]) => [reason, packets] as const);
  return Object.fromEntries(all.filter(([, packets]) => packets > 0));
}

beforeAll(async () => {
  router = await createRouter([open, closed, empty, down, stranger, outside], [hostAddress]);
  log = await createPacketLog(router.net.path('router'), logGroup);
});

afterEach(async () => {
  await driver?.cleanup();
  driver = undefined;
});

afterAll(async () => {
  log.close();
  await router.remove();
});

const [toOpen = '', toClosed = '', toEmpty = '', toDown = '', toStranger = ''] = [
  open,
  closed,
  empty,
  down,
  stranger,
].map(wire => wire.addresses[0] ?? '');
const far = '192.0.2.1';
const first = { source: toOpen, sourcePort: 1, destinationPort: 2 };

/** What each reason is given for: who sends which packet. */
const reasons: Readonly<Record<string, readonly [from: typeof open, packet: () => Packet, flags?: number]>> =
  {
    'unknown-endpoint': [outside, () => udp(outside, toStranger)],
    'spoofed-source': [open, () => ({ ...udp(open, far), source: '10.65.9.9' })],
    'endpoint-down': [outside, () => udp(outside, toDown)],
    'tunnel-packet': [open, () => ({ ipVersion: 4, protocol: 4, source: toOpen, destination: far })],
    'invalid-state': [
      outside,
      () => ({ ipVersion: 4, protocol: 6, ...first, source: far, destination: toOpen }),
      tcpFlag.syn | tcpFlag.fin,
    ],
    'denied-by-rule': [outside, () => udp(outside, toClosed, 9)],
    'no-rule-matched': [outside, () => udp(outside, toClosed, 10)],
    'no-profile-matched': [closed, () => udp(closed, far)],
    'no-profile': [outside, () => udp(outside, toEmpty)],
    'workload-to-host': [open, () => udp(open, hostAddress)],
  };

describe('what is dropped', () => {
  test.each(Object.entries(reasons))(
    'is counted by its reason: %s',
    async (reason, [from, packet, flags]) => {
      await start();
      await eventually('conntrack sees no half-open flow', async () => {
        await router.forgetConnections();
        return true;
      });
      send(from, packet(), flags);
      await eventually('it is counted', async () => (await drops())[reason] === 1);
      expect(await drops()).toStrictEqual({ [reason]: 1 });
      expect(log.prefixes()).toStrictEqual([]);
    },
  );

  test('stays counted when the rules change and when the next agent takes over', async () => {
    await start();
    send(outside, udp(outside, toEmpty));
    await eventually('it is counted', async () => (await drops())['no-profile'] === 1);
    await driver?.configure({ endpointToHostAction: 'accept' });
    await driver?.stop();
    await start({ dropActionOverride: 'log-and-drop' });
    expect(await drops()).toStrictEqual({ 'no-profile': 1 });
  });
});

describe('the action log', () => {
  test('logs with the prefix that was asked for, whose rule it is, and within the limit', async () => {
    await start({ logPrefix: 'seen by %k %n in %t' });
    const passed = [1, 2, 3].map(() => send(outside, udp(outside, toClosed, 7)));
    await router.arrival(closed.interfaceName, ...passed);
    expect(log.prefixes()).toStrictEqual(Array<string>(3).fill('seen by policy some in default: '));

    await driver?.configure({ logGroup, logRateLimit: { count: 1, per: 'day' }, logRateBurst: 2 });
    const more = [1, 2, 3, 4, 5].map(() => send(outside, udp(outside, toClosed, 7)));
    await router.arrival(closed.interfaceName, ...more);
    expect(log.prefixes()).toStrictEqual(Array<string>(2).fill('calico-packet: '));
  });
});

describe('DropActionOverride', () => {
  test.each([
    ['drop', false, false],
    ['accept', true, false],
    ['log-and-drop', false, true],
    ['log-and-accept', true, true],
  ] as const)('%s: passes is %s, logged is %s', async (dropActionOverride, passes, logged) => {
    await start();
    await driver?.configure({ logGroup, dropActionOverride });
    const denied = send(outside, udp(outside, toClosed, 9));
    const unmatched = send(outside, udp(outside, toClosed, 10));
    const allowed = send(outside, udp(outside, toOpen));
    await router.arrival(open.interfaceName, allowed);
    const { interfaceName } = closed;
    if (passes) await router.arrival(interfaceName, denied, unmatched);
    expect([denied, unmatched].map(mark => router.received(interfaceName).has(mark))).toStrictEqual([
      passes,
      passes,
    ]);
    expect(log.prefixes()).toStrictEqual(logged ? ['calico-drop: ', 'calico-drop: '] : []);
    expect(await drops()).toStrictEqual({ 'denied-by-rule': 1, 'no-rule-matched': 1 });
  });
});
