import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftDataplane } from '../../src/dataplane/index.js';
import type { NftDataplane } from '../../src/dataplane/index.js';
import { parseCidr, protocolNumbers } from '../../src/net/index.js';
import { createPolicyGraph } from '../../src/policy/index.js';
import type {
  ActiveRule,
  ActiveRules,
  DataplaneUpdate,
  EndpointId,
  ModelChange,
  Packet,
  PolicyId,
  ProfileId,
} from '../../src/policy/index.js';
import * as build from '../support/policy-builders.js';
import { isIn, sourceOf, tcpFlag } from '../support/packets.js';
import { eventually } from '../support/netns.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

const web = { interfaceName: 'calia1', addresses: ['10.65.0.1', 'fd80:65::1'] };
const db = { interfaceName: 'calib2', addresses: ['10.65.0.2', 'fd80:65::2'] };
const outside = { interfaceName: 'eth0', addresses: ['192.0.2.1', '2001:db8::1'] };

/** the router itself */
const host = { interfaceName: '', addresses: ['10.65.255.1'] };

let router: Router;
let nextMark = 1;
const dataplanes: NftDataplane[] = [];

const open: ActiveRules = {
  ingress: [{ action: 'allow', match: {} }],
  egress: [{ action: 'allow', match: {} }],
};

function profile(id: string, rules: ActiveRules): DataplaneUpdate {
  return { kind: 'profile-updated', id: id as ProfileId, rules };
}

function policy(
  id: string,
  ingress: readonly ActiveRule[],
  egress: readonly ActiveRule[] = [],
): DataplaneUpdate {
  return { kind: 'policy-updated', id: id as PolicyId, rules: { ingress, egress } };
}

interface WorkloadOptions {
  readonly ingress?: readonly string[];
  readonly egress?: readonly string[];
  readonly profiles?: readonly string[];
  readonly adminUp?: boolean;
}

function workload(wire: typeof web, options: WorkloadOptions = {}): DataplaneUpdate {
  const { ingress = [], egress = [], profiles = ['open'], adminUp = true } = options;
  const id = wire.interfaceName as EndpointId;
  const tier = {
    name: 'default',
    ingress: ingress as readonly PolicyId[],
    egress: egress as readonly PolicyId[],
  };
  return {
    kind: 'endpoint-updated',
    id,
    local: {
      endpoint: {
        id,
        kind: 'workload',
        node: 'here',
        labels: {},
        profiles: profiles as readonly ProfileId[],
        ...wire,
        adminUp,
      },
      tiers: ingress.length + egress.length > 0 ? [tier] : [],
    },
  };
}

function tcp(from: typeof web, to: typeof web, destinationPort: number, sourcePort = 40_000): Packet {
  const [source = '', destination = ''] = [from.addresses[0], to.addresses[0]];
  return { ipVersion: 4, protocol: protocolNumbers.tcp, source, destination, sourcePort, destinationPort };
}

function udp(from: typeof web, to: typeof web, destinationPort: number, sourcePort = 40_000): Packet {
  return { ...tcp(from, to, destinationPort, sourcePort), protocol: protocolNumbers.udp };
}

function six(packet: Packet): Packet {
  const swap = (address: string): string =>
    [web, db, outside].find(wire => wire.addresses[0] === address)?.addresses[1] ?? address;
  return { ...packet, ipVersion: 6, source: swap(packet.source), destination: swap(packet.destination) };
}

function reply(packet: Packet): Packet {
  const { source, destination, sourcePort, destinationPort } = packet;
  return {
    ...packet,
    source: destination,
    destination: source,
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
  };
}

function dataplane(applier = router.applier): NftDataplane {
  const created = createNftDataplane({
    applier,
    config: {},
    log: silentLogger,
    clock: systemClock,
  });
  dataplanes.push(created);
  return created;
}

/** The interface that an address is behind. */
function wireOf(address: string): string {
  return [web, db, outside].find(wire => wire.addresses.includes(address))?.interfaceName ?? '';
}

function send(packet: Packet, at = wireOf(packet.source), tcpFlags?: number): number {
  const mark = nextMark++;
  router.send(at, packet, mark, tcpFlags === undefined ? {} : { tcpFlags });
  return mark;
}

/** Nothing polices the way from one outside address to another, nor what the router itself sends. */
function control(): Packet {
  return { ...udp(outside, outside, 9, 10_000 + (nextMark % 50_000)), destination: '192.0.2.77' };
}

/** True when the packet comes out where its destination is; false when one sent after it overtakes it. */
async function passes(packet: Packet, at?: string, tcpFlags?: number): Promise<boolean> {
  const mark = send(packet, at, tcpFlags);
  await router.arrival('eth0', send(control()));
  return router.received(wireOf(packet.destination)).has(mark);
}

beforeAll(async () => {
  router = await createRouter(
    [web, db, { ...outside, addresses: [...outside.addresses, '192.0.2.77'] }],
    [host.addresses[0] ?? ''],
  );
});

afterEach(async () => {
  for (const each of dataplanes.splice(0)) await each.cleanup();
  await router.forgetConnections();
});

afterAll(async () => {
  await router.remove();
});

describe('before the first state', () => {
  test('traffic from and to workloads is dropped, and that of others passes', async () => {
    expect(await passes(tcp(web, db, 80))).toBe(true);
    await router.forgetConnections();
    await dataplane().start();
    expect(await passes(tcp(web, db, 80))).toBe(false);
    expect(await passes(six(tcp(web, db, 80)))).toBe(false);
    expect(await passes(tcp(outside, db, 80))).toBe(false);
    expect(await passes(tcp(web, outside, 80))).toBe(false);
  });

  test('an established flow goes on', async () => {
    const flow = tcp(outside, db, 80);
    expect(await passes(flow)).toBe(true);
    expect(await passes(reply(flow), 'calib2', tcpFlag.syn | tcpFlag.ack)).toBe(true);
    await dataplane().start();
    expect(await passes(flow, 'eth0', tcpFlag.ack)).toBe(true);
    expect(await passes(tcp(outside, db, 81))).toBe(false);
  });
});

describe('workloads under policy', () => {
  test('a workload without policy and profile gets nothing, with an open profile everything', async () => {
    const driver = dataplane();
    await driver.apply([workload(web), workload(db, { profiles: [] }), profile('open', open)]);
    expect(await passes(tcp(web, db, 80))).toBe(false);
    await driver.apply([workload(db)]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    expect(await passes(six(tcp(web, db, 80)))).toBe(true);
  });

  test('a policy for one direction leaves the other to the profiles', async () => {
    await dataplane().apply([
      profile('open', open),
      policy('in', [{ action: 'allow', match: { protocol: 6, destinationPorts: [{ min: 80, max: 80 }] } }]),
      workload(web),
      workload(db, { ingress: ['in'] }),
    ]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    expect(await passes(tcp(web, db, 81))).toBe(false);
    expect(await passes(udp(web, db, 80))).toBe(false);
    expect(await passes(tcp(db, web, 81))).toBe(true);
  });

  test('pass goes to the profiles, and to none when there is none', async () => {
    const driver = dataplane();
    const pass: readonly ActiveRule[] = [{ action: 'pass', match: {} }];
    await driver.apply([
      profile('open', open),
      policy('p', pass, pass),
      workload(web),
      workload(db, { ingress: ['p'] }),
    ]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    await driver.apply([workload(db, { ingress: ['p'], profiles: [] })]);
    expect(await passes(tcp(web, db, 81))).toBe(false);
  });

  test('a list with many ports drops other ports, other protocols and keeps its port-free rules', async () => {
    const ports = (protocol: number, port: number): ActiveRule => ({
      action: 'allow',
      match: { protocol, destinationPorts: [{ min: port, max: port }] },
    });
    await dataplane().apply([
      profile('open', open),
      policy('in', [
        { action: 'deny', match: { protocol: 6, sourcePorts: [{ min: 666, max: 666 }] } },
        ...[80, 443, 8080].map(port => ports(6, port)),
        ports(17, 53),
        { action: 'allow', match: { protocol: 1, icmp: { type: 8 } } },
      ]),
      workload(web),
      workload(db, { ingress: ['in'] }),
    ]);
    expect(await passes(tcp(web, db, 443))).toBe(true);
    expect(await passes(tcp(web, db, 443, 666))).toBe(false);
    expect(await passes(tcp(web, db, 53))).toBe(false);
    expect(await passes(udp(web, db, 53))).toBe(true);
    expect(await passes(udp(web, db, 443))).toBe(false);
    const { sourcePort: _, destinationPort: __, ...bare } = tcp(web, db, 0);
    expect(await passes({ ...bare, protocol: 1, icmpType: 8, icmpCode: 0 })).toBe(true);
    // Bytes 2 and 3 of this header say 443, but the protocol has no ports.
    expect(await passes({ ...bare, protocol: 89 })).toBe(false);
  });

  test('six tiers in both directions, each with many ports, fit the depth that the kernel allows', async () => {
    const names = ['first', 'b', 'c', 'd', 'e', 'second'];
    const early = names.slice(0, -1).map((name, index) =>
      policy(name, [
        { action: 'pass', match: { protocol: 6, destinationPorts: [{ min: 80, max: 80 }] } },
        ...[81, 84, 85, 86, 87].slice(index, index + 1).map((port): ActiveRule => ({
          action: 'deny',
          match: { protocol: 6, destinationPorts: [{ min: port, max: port }] },
        })),
        { action: 'pass', match: { protocol: 6, destinationPorts: [{ min: 83, max: 84 }] } },
        { action: 'pass', match: {} },
      ]),
    );
    const second = policy('second', [
      ...[80, 81, 82].map((port): ActiveRule => ({
        action: 'allow',
        match: { protocol: 6, destinationPorts: [{ min: port, max: port }] },
      })),
      { action: 'pass', match: { protocol: 17 } },
    ]);
    const updates = [...early, second].map(update =>
      update.kind === 'policy-updated'
        ? { ...update, rules: { ingress: update.rules.ingress, egress: update.rules.ingress } }
        : update,
    );
    const tiers = names.map(name => ({
      name,
      ingress: [name as PolicyId],
      egress: [name as PolicyId],
    }));
    const endpoints = [web, db].map(wire => {
      const update = workload(wire);
      if (update.kind !== 'endpoint-updated') throw new Error('not an endpoint');
      return { ...update, local: { ...update.local, tiers } };
    });
    await dataplane().apply([profile('open', open), ...updates, ...endpoints]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    expect(await passes(tcp(web, db, 81))).toBe(false);
    expect(await passes(tcp(web, db, 83))).toBe(false);
    expect(await passes(tcp(web, db, 87))).toBe(false);
    expect(await passes(udp(web, db, 83))).toBe(true);
  });

  test('a changed policy decides over the next connection', async () => {
    const driver = dataplane();
    const only = (action: 'allow' | 'deny'): DataplaneUpdate => policy('in', [{ action, match: {} }]);
    await driver.apply([
      profile('open', open),
      only('allow'),
      workload(web),
      workload(db, { ingress: ['in'] }),
    ]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    await driver.apply([only('deny')]);
    expect(await passes(tcp(web, db, 80, 40_001))).toBe(false);
    await driver.apply([only('allow')]);
    expect(await passes(tcp(web, db, 80, 40_002))).toBe(true);
  });

  test('a profile that allows nothing any more leaves known connections and stops new ones', async () => {
    const driver = dataplane();
    await driver.apply([profile('open', open), workload(web), workload(db)]);
    const known = udp(web, db, 5002, 5002);
    expect(await passes(known)).toBe(true);
    expect(await passes(reply(known))).toBe(true);
    await driver.apply([profile('open', { ingress: [], egress: [] })]);
    expect(await passes(known)).toBe(true);
    expect(await passes(reply(known))).toBe(true);
    expect(await passes(udp(web, db, 5003, 5003))).toBe(false);
  });

  test('two thousand selectors on one endpoint come, go and come again', async () => {
    const graph = createPolicyGraph('here');
    const count = 2_000;
    const labelledWire = (
      role: string,
      wire: typeof web,
      labels: Readonly<Record<string, string>>,
    ): ModelChange => {
      const made = build.endpoint(role, { labels, profiles: ['free'] });
      return { kind: 'endpoint', id: made.id, endpoint: { ...made, ...wire } };
    };
    const free = build.profile('free', { ingress: [], egress: [build.rule('allow')] });
    const many = build.policy('many', {
      selector: "role == 'db'",
      // Neighbours that do the same would be one rule, with one set for all.
      ingress: Array.from({ length: count }, (_, n) =>
        build.rule(n % 2 === 0 ? 'deny' : 'allow', { sourceSelector: build.selector(`n == '${String(n)}'`) }),
      ),
    });
    const driver = dataplane();
    await driver.apply(
      graph.apply([
        { kind: 'profile', id: free.id, profile: free },
        labelledWire('web', web, { n: String(count - 1) }),
        labelledWire('db', db, { role: 'db' }),
      ]),
    );
    for (const isThere of [true, false, true]) {
      await driver.apply(graph.apply([{ kind: 'policy', id: many.id, policy: isThere ? many : undefined }]));
      const { stdout } = await router.nft(['list', 'sets', 'table', 'inet', 'calico']);
      expect(stdout.match(/set s4-/g)?.length ?? 0).toBe(isThere ? count : 0);
      await router.forgetConnections();
      expect(await passes(udp(web, db, 6))).toBe(isThere);
    }
    expect(driver.problems).toStrictEqual([]);
  });

  test('a hundred policies that differ in their selector alone are one lookup, in whatever has changed', async () => {
    const graph = createPolicyGraph('here');
    const wire = (of: typeof web, labels: Readonly<Record<string, string>>): ModelChange => {
      const made = build.endpoint(of.interfaceName, { labels, profiles: ['free'] });
      return { kind: 'endpoint', id: made.id, endpoint: { ...made, ...of } };
    };
    const allows = (n: number, isThere = true): ModelChange => {
      const made = build.policy(`allows ${String(n)}`, {
        selector: "role == 'db'",
        ingress: [build.rule('allow', { sourceSelector: build.selector(`n == '${String(n)}'`) })],
      });
      return { kind: 'policy', id: made.id, policy: isThere ? made : undefined };
    };
    const free = build.profile('free', { ingress: [], egress: [build.rule('allow')] });
    const driver = dataplane();
    const lookups = async (changes: readonly ModelChange[]) => {
      await driver.apply(graph.apply(changes));
      await router.forgetConnections();
      const { stdout } = await router.nft(['list', 'table', 'inet', 'calico']);
      const names = [...stdout.matchAll(/set ([su]4-\S+)/g)].map(([, name]) => name);
      return { names, isOpen: await passes(udp(web, db, 6)), text: stdout };
    };
    const first = await lookups([
      { kind: 'profile', id: free.id, profile: free },
      wire(web, { n: '100' }),
      wire(db, { role: 'db' }),
      ...Array.from({ length: 100 }, (_, n) => allows(n)),
    ]);
    expect(first).toMatchObject({ names: [expect.stringMatching(/^u4-/)], isOpen: false });
    expect(first.text).toMatch(/comment "allows 0#0 and 99 more/);
    const { names } = first;
    expect(await lookups([allows(100)])).toMatchObject({ names, isOpen: true });
    expect(await lookups([wire(web, { n: '101' })])).toMatchObject({ names, isOpen: false });
    expect(await lookups([wire(web, { n: '7' })])).toMatchObject({ names, isOpen: true });
    expect(await lookups([allows(7, false)])).toMatchObject({ names, isOpen: false });
    expect(driver.problems).toStrictEqual([]);
  });

  test('a removed, unknown or disabled endpoint is closed', async () => {
    const driver = dataplane();
    await driver.apply([profile('open', open), workload(web), workload(db)]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    await driver.apply([workload(db, { adminUp: false })]);
    expect(await passes(tcp(web, db, 81))).toBe(false);
    await driver.apply([workload(db)]);
    expect(await passes(tcp(web, db, 82))).toBe(true);
    await driver.apply([{ kind: 'endpoint-removed', id: 'calib2' as EndpointId }]);
    expect(await passes(tcp(web, db, 83))).toBe(false);
    expect(await passes(tcp(db, outside, 83))).toBe(false);
  });
});

describe('the packets themselves', () => {
  test('a source address that is not the workload’s is dropped, in both families', async () => {
    await dataplane().apply([profile('open', open), workload(web), workload(db)]);
    expect(await passes(tcp(web, outside, 80))).toBe(true);
    expect(await passes(tcp(db, outside, 80), 'calia1')).toBe(false);
    expect(await passes(six(tcp(web, outside, 80)))).toBe(true);
    expect(await passes(six(tcp(db, outside, 80)), 'calia1')).toBe(false);
  });

  test('what connection tracking calls invalid does not reach a workload', async () => {
    await dataplane().apply([profile('open', open), workload(web), workload(db)]);
    expect(await passes(tcp(web, db, 80))).toBe(true);
    expect(await passes(tcp(web, db, 81), 'calia1', tcpFlag.syn | tcpFlag.fin)).toBe(false);
  });

  test('what leaves a pool with NAT for the outside gets another source, what stays keeps its own', async () => {
    const cidr = parseCidr('10.65.0.0/16');
    if (cidr === undefined) throw new Error('not a CIDR');
    await router.net.run('router', 'ip', 'address', 'add', '192.0.2.254/32', 'dev', 'eth0');
    await dataplane().apply([
      profile('open', open),
      workload(web),
      workload(db),
      { kind: 'pools-updated', pools: [{ cidr, natOutgoing: true }] },
    ]);
    const out = send(tcp(web, outside, 80));
    await router.arrival('eth0', out);
    expect(isIn(sourceOf(router.received('eth0').get(out) ?? Buffer.alloc(20)), '10.65.0.0/16')).toBe(false);
    const inner = send(tcp(web, db, 80));
    await router.arrival('calib2', inner);
    expect(sourceOf(router.received('calib2').get(inner) ?? Buffer.alloc(20))).toBe('10.65.0.1');
  });
});

describe('a host endpoint', () => {
  test('lets in what its policy allows and what is failsafe, and leaves forwarded traffic alone', async () => {
    const local = workload(
      { interfaceName: 'eth0', addresses: [] },
      { ingress: ['in'], egress: ['in'], profiles: [] },
    );
    if (local.kind !== 'endpoint-updated') throw new Error('not an endpoint');
    const endpoint = { ...local.local.endpoint, kind: 'host' } as const;
    await dataplane().apply([
      profile('open', open),
      policy('in', [{ action: 'allow', match: { protocol: 6, destinationPorts: [{ min: 81, max: 81 }] } }]),
      workload(web),
      { ...local, local: { ...local.local, endpoint } },
    ]);
    const [ssh, denied, allowed] = [22, 80, 81].map(port => send(tcp(outside, host, port)));
    expect(await passes(tcp(outside, web, 80))).toBe(true);
    const atHost = await router.receivedByHost();
    expect([ssh, denied, allowed].map(mark => atHost.has(mark ?? 0))).toStrictEqual([true, false, true]);
  });
});

describe('packets that carry others', () => {
  const VXLAN = 4789;
  const stranger = { ...outside, addresses: ['192.0.2.77'] };
  const ipip = (from: typeof web): Packet => ({ ...tcp(from, host, 0), protocol: 4 });

  async function arriveAtHost(...packets: readonly Packet[]): Promise<readonly boolean[]> {
    const marks = packets.map(packet => send(packet, 'eth0'));
    await router.arrival('eth0', send(control()));
    const atHost = await router.receivedByHost();
    return marks.map(mark => atHost.has(mark));
  }

  test('reach the host from hosts of the cluster only, whatever its interfaces’ policy says', async () => {
    const nft = dataplane();
    const local = workload({ interfaceName: 'eth0', addresses: [] }, { ingress: ['in'], profiles: [] });
    if (local.kind !== 'endpoint-updated') throw new Error('not an endpoint');
    const endpoint = { ...local.local.endpoint, kind: 'host' } as const;
    const closed = policy('in', [{ action: 'deny', match: {} }]);
    await nft.apply([closed, { ...local, local: { ...local.local, endpoint } }]);
    await nft.setTunnelPeers({ ipip: true, vxlan: true, hosts: new Set(outside.addresses) });
    const packets = [udp(outside, host, VXLAN), udp(stranger, host, VXLAN), ipip(outside), ipip(stranger)];
    expect(await arriveAtHost(...packets)).toStrictEqual([true, false, true, false]);
    await nft.setTunnelPeers({ ipip: false, vxlan: true, hosts: new Set(stranger.addresses) });
    expect(await arriveAtHost(...packets)).toStrictEqual([false, true, false, false]);
  });

  test('are anybody’s while no pool wants them', async () => {
    const nft = dataplane();
    await nft.setTunnelPeers({ ipip: true, vxlan: true, hosts: new Set() });
    await nft.apply([workload(web)]);
    const packets = [udp(stranger, host, VXLAN), ipip(stranger)];
    expect(await arriveAtHost(...packets)).toStrictEqual([false, false]);
    await nft.setTunnelPeers({ ipip: false, vxlan: false, hosts: new Set() });
    expect(await arriveAtHost(...packets)).toStrictEqual([true, true]);
  });
});

describe('a new agent on a host with a table', () => {
  test('takes over without losing a packet of established and new allowed flows', async () => {
    const state = [profile('open', open), workload(web), workload(db)];
    await dataplane().apply(state);
    const flow = udp(outside, db, 5000, 5000);
    expect(await passes(flow)).toBe(true);
    expect(await passes(reply(flow))).toBe(true);

    const successor = dataplane();
    const sent: number[] = [];
    const more = async (): Promise<void> => {
      const before = sent.length;
      await eventually('traffic goes on', () => sent.length >= before + 10);
    };
    const traffic = setInterval(() => {
      sent.push(send(flow), send(udp(outside, db, 6000, 10_000 + sent.length)));
    }, 1);
    await more();
    await successor.start();
    await more();
    await successor.apply([
      ...state,
      policy('in', [{ action: 'allow', match: { protocol: 17 } }]),
      workload(db, { ingress: ['in'] }),
    ]);
    await more();
    await successor.apply([workload(db)]);
    await more();
    clearInterval(traffic);
    await router.arrival('calib2', ...sent);
  });

  test('hurts no allowed flow while it looks for an object that the kernel refuses', async () => {
    const state = [profile('open', open), workload(web), workload(db)];
    await dataplane().apply(state);
    const flow = udp(outside, db, 5001, 5001);
    expect(await passes(flow)).toBe(true);
    const sent: number[] = [];
    // Between all that it asks of the kernel and does there.
    const more = (): void => {
      sent.push(send(flow), send(udp(outside, db, 6001, 20_000 + sent.length)));
    };
    const watched = <A extends readonly unknown[], T>(step: (...args: A) => Promise<T>) => {
      return async (...args: A): Promise<T> => {
        more();
        return await step(...args).finally(more);
      };
    };
    const { applier } = router;
    const successor = dataplane({
      ...applier,
      apply: watched(async transaction => await applier.apply(transaction)),
      check: watched(async transaction => await applier.check(transaction)),
      readBack: watched(async () => await applier.readBack()),
    });
    await successor.start();
    // No number of a protocol.
    const bad = policy('bad', [{ action: 'allow', match: { protocol: 300 } }]);
    await successor.apply([bad, ...state, workload(web, { ingress: ['bad'] })]);
    expect(successor.problems).toMatchObject([{ object: 'policy bad' }]);
    expect(await passes(udp(outside, web, 5001))).toBe(false);
    expect(sent.length).toBeGreaterThan(20);
    await router.arrival('calib2', ...sent);
  });

  test('changes nothing before it has the first state', async () => {
    await dataplane().apply([profile('open', open), workload(web), workload(db)]);
    const before = await router.nft(['-a', 'list', 'table', 'inet', 'calico']);
    await dataplane().start();
    const after = await router.nft(['-a', 'list', 'table', 'inet', 'calico']);
    expect(after.stdout).toBe(before.stdout);
    expect(await passes(tcp(web, db, 80))).toBe(true);
  });
});

describe('a table that somebody else has changed', () => {
  test('is repaired by a resync, and left alone when nothing differs', async () => {
    const driver = dataplane();
    await driver.apply([profile('open', open), workload(web), workload(db)]);
    const list = async (): Promise<string> =>
      (await router.nft(['-n', 'list', 'table', 'inet', 'calico'])).stdout;
    const good = await list();
    await router.nft(['flush', 'chain', 'inet', 'calico', 'forward']);
    await router.nft(['delete', 'element', 'inet', 'calico', 'wl-to', '{ "calib2" }']);
    await router.nft(['add', 'chain', 'inet', 'calico', 'foreign']);
    await driver.resync();
    const sorted = (text: string): readonly string[] =>
      text
        .split(/[\n,]/)
        .map(line => line.trim())
        .sort();
    expect(sorted(await list())).toStrictEqual(sorted(good));

    const handles = await router.nft(['-a', 'list', 'table', 'inet', 'calico']);
    await driver.resync();
    expect((await router.nft(['-a', 'list', 'table', 'inet', 'calico'])).stdout).toBe(handles.stdout);
  });

  test('is programmed afresh when it is gone and the next change cannot be applied', async () => {
    const driver = dataplane();
    await driver.apply([profile('open', open), workload(web), workload(db)]);
    await router.nft(['delete', 'table', 'inet', 'calico']);
    await driver.apply([workload(db, { profiles: [] })]);
    expect(await passes(tcp(web, outside, 80))).toBe(true);
    expect(await passes(tcp(web, db, 80))).toBe(false);
  });
});

describe('a transaction that the kernel refuses', () => {
  test('leaves the table as it was, and the error says what nft complained of', async () => {
    await dataplane().apply([profile('open', open), workload(web), workload(db)]);
    const before = await router.nft(['-a', 'list', 'table', 'inet', 'calico']);
    const set = { name: 'wl-to', key: ['ifname'], verdicts: true } as const;
    const refused = router.applier.apply([
      { op: 'flush-set', set },
      { op: 'delete-chain', name: 'forward' },
      { op: 'delete-chain', name: 'not-there' },
    ]);
    await expect(refused).rejects.toThrow(/table inet calico not changed: .*not-there/s);
    expect((await router.nft(['-a', 'list', 'table', 'inet', 'calico'])).stdout).toBe(before.stdout);
  });
});
