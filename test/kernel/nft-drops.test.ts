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
import { sourceOf, tcpFlag } from '../support/packets.js';
import { eventually } from '../support/netns.js';
import { createPacketLog } from '../support/packet-log.js';
import type { PacketLog } from '../support/packet-log.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

const open = { interfaceName: 'calia1', addresses: ['10.65.0.1', 'fd80:65::1'] };
const closed = { interfaceName: 'calib2', addresses: ['10.65.0.2'] };
const empty = { interfaceName: 'calic3', addresses: ['10.65.0.3'] };
const down = { interfaceName: 'calid4', addresses: ['10.65.0.4'] };
const stranger = { interfaceName: 'calie5', addresses: ['10.65.0.5'] };
const outside = { interfaceName: 'eth0', addresses: ['192.0.2.1', '2001:db8::1'] };
const elsewhere = '10.65.77.1';
const tunnel = { interfaceName: 'tunl0', addresses: [elsewhere] };
const tunnelAddress = '10.65.255.9';
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
  router = await createRouter([open, closed, empty, down, stranger, outside, tunnel], [hostAddress]);
  await router.net.run('router', 'ip', 'address', 'add', `${tunnelAddress}/32`, 'dev', 'tunl0');
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
const service = '169.254.169.254';
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

describe('a workload without IPv6', () => {
  const six = { ipVersion: 6, protocol: 17, sourcePort: 1, destinationPort: 2 } as const;
  const [own, other] = ['fd80:65::1', '2001:db8::1'];

  test('neither sends nor gets any of it', async () => {
    await start({ ipv6: false });
    send(open, { ...six, source: own, destination: other });
    await eventually('it is counted', async () => (await drops())['ipv6-off'] === 1);
    const before = send(outside, { ...six, source: other, destination: own });
    await eventually('it is counted', async () => (await drops())['ipv6-off'] === 2);
    expect(router.received(open.interfaceName).has(before)).toBe(false);
    await driver?.configure({ logGroup, ipv6: true });
    await router.arrival(
      open.interfaceName,
      send(outside, { ...six, source: other, destination: own, sourcePort: 3 }),
    );
  });
});

describe('the metadata service', () => {
  const metadata = { address: hostAddress, port: 8775 };
  const asks = (from: typeof open, destination: string, destinationPort: number): Packet => ({
    ...udp(from, destination, destinationPort),
    protocol: 6,
  });

  test('is reached by its well-known address and by its own whatever policy says, and nothing else of the host', async () => {
    await start({ metadata });
    const asked = [
      send(open, asks(open, service, 80)),
      send(closed, asks(closed, service, 80)),
      send(empty, asks(empty, hostAddress, 8775)),
    ];
    const refused = [send(closed, asks(closed, hostAddress, 8776)), send(closed, asks(closed, service, 81))];
    await eventually('they arrive', async () => new Set(asked).isSubsetOf(await router.receivedByHost()));
    expect(new Set(refused).isDisjointFrom(await router.receivedByHost())).toBe(true);
  });

  test('on loopback opens no other address there', async () => {
    await start({ metadata: { address: '127.0.0.1', port: 8775 } });
    await router.net.run('router', 'sysctl', '-qw', `net.ipv4.conf.${open.interfaceName}.route_localnet=1`);
    const asked = send(open, asks(open, service, 80));
    await eventually('it arrives', async () => (await router.receivedByHost()).has(asked));
    const direct = [send(open, asks(open, '127.0.0.1', 8775)), send(open, asks(open, '127.0.0.1', 22))];
    await eventually('they are counted', async () => (await drops())['loopback-destination'] === 2);
    expect(new Set(direct).isDisjointFrom(await router.receivedByHost())).toBe(true);
    await router.net.run('router', 'sysctl', '-qw', `net.ipv4.conf.${open.interfaceName}.route_localnet=0`);
  });
});

describe('what the host sends through a tunnel', () => {
  test('has the address of the tunnel, and what it carries for workloads keeps its own', async () => {
    await start();
    await driver?.setTunnelPeers({ ipip: true, vxlan: false, hosts: new Set() });
    const own = nextMark++;
    router.sendFromHost({ ...udp(open, elsewhere, 7), source: hostAddress }, own);
    const carried = send(open, udp(open, elsewhere, 8));
    await router.arrival('tunl0', own, carried);
    const sources = [own, carried].map(mark =>
      sourceOf(router.received('tunl0').get(mark) ?? Buffer.alloc(20)),
    );
    expect(sources).toStrictEqual([tunnelAddress, toOpen]);
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
