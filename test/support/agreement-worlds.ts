import * as fc from 'fast-check';
import type {
  Action,
  HostInterfaces,
  Model,
  ModelChange,
  Packet,
  Policy,
  PolicyId,
  Rules,
  Stage,
} from '../../src/policy/index.js';
import { arbitraryModel, arbitraryPacket, arbitraryPeers, defaultCast } from './policy-arbitrary.js';

/** A world for evaluator and kernel: what is configured on one node, and packets to judge. */
export interface World {
  readonly model: Model;
  /** each of another connection */
  readonly packets: readonly Packet[];
}

/** The node whose router is tried, and its own addresses, one of each family. */
export const here = 'here';
export const hostAddresses = ['10.65.255.1', 'fd80:65:ff::1'] as const;

export const localSlots = defaultCast.slots.filter(slot => slot.node === here);
export const remoteAddresses = defaultCast.slots
  .filter(slot => slot.node !== here)
  .flatMap(slot => slot.addresses);

/** The router's ways out of the cluster, and who is behind each. */
export const uplinks = [
  {
    interfaceName: 'eth0',
    addresses: [...remoteAddresses, ...defaultCast.outside.filter((_, i) => i % 2 === 0)],
  },
  { interfaceName: 'eth1', addresses: defaultCast.outside.filter((_, i) => i % 2 === 1) },
] as const;

export function uplinkOf(address: string): string | undefined {
  return uplinks.find(({ addresses }) => addresses.includes(address))?.interfaceName;
}

/** What the agent is told of the router's interfaces: one host endpoint is found by an address of `eth1`. */
export const hostInterfaces: HostInterfaces = new Map([
  ['eth0', [hostAddresses[0]]],
  ['eth1', [hostAddresses[1]]],
]);

/** Packets with protocols and ICMP types that policy seldom names, and packets to the host itself. */
function arbitraryOddPacket(): fc.Arbitrary<Packet> {
  const icmp = (ipVersion: 4 | 6) =>
    fc.record({
      icmpType: fc.constantFrom(
        ...(ipVersion === 4 ? [8, 8, 0, 3, 13] : [128, 128, 129, 1, 139, 134, 135, 137]),
      ),
      icmpCode: fc.constantFrom(0, 1, 255),
    });
  const ports = {
    sourcePort: fc.constantFrom(1024, 40_000),
    destinationPort: fc.constantFrom(22, 53, 80, 443, 4789),
  };
  const rest = (ipVersion: 4 | 6) =>
    fc.oneof(
      icmp(ipVersion).map(types => ({ ...types, protocol: ipVersion === 4 ? 1 : 58 })),
      fc.record({ protocol: fc.constantFrom(132, 6, 17), ...ports }),
      fc.record({ protocol: fc.constantFrom(4, 89) }),
    );
  const end = fc.constantFrom('to-host', 'from-host', 'neither', 'neither');
  return fc.tuple(arbitraryPacket(), end).chain(([{ source, destination, ipVersion }, which]) => {
    const own = hostAddresses[ipVersion === 4 ? 0 : 1];
    const ends = {
      source: which === 'from-host' ? own : source,
      destination: which === 'to-host' ? own : destination,
    };
    return rest(ipVersion).map(drawn => ({ ipVersion, ...ends, ...drawn }));
  });
}

/** The packet on any workload's wire, whoever its source address belongs to. */
function arbitrarySender(packet: Packet): fc.Arbitrary<Packet> {
  // The router itself takes nothing from outside that claims to come from it.
  if (hostAddresses.some(own => own === packet.source)) return fc.constant(packet);
  const others = localSlots.filter(slot => !slot.addresses.includes(packet.destination));
  return fc.constantFrom(...others).map(({ id }) => ({ ...packet, from: id }));
}

/** A policy for everybody with enough rules bound to ports that its lists are compiled to an index. */
function arbitraryPortPolicy(): fc.Arbitrary<Policy> {
  const rule = fc
    .record({
      action: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const, 'pass' as const),
      protocol: fc.constantFrom(6, 17),
      port: fc.constantFrom(22, 80, 443, 5432, 8080),
      width: fc.constantFrom(0, 0, 1, 400),
      sourcePort: fc.option(fc.constantFrom(1024, 40_000), { nil: undefined, freq: 5 }),
    })
    .map(({ action, protocol, port, width, sourcePort }) => ({
      action,
      match: {
        protocol,
        destinationPorts: [{ min: port, max: port + width }],
        ...(sourcePort !== undefined && { sourcePorts: [{ min: sourcePort, max: sourcePort }] }),
      },
    }));
  return arbitraryForAll('ports', fc.array(rule, { minLength: 4, maxLength: 10 }));
}

function arbitraryForAll(id: string, rules: fc.Arbitrary<Policy['ingress']>): fc.Arbitrary<Policy> {
  const content = {
    ingress: rules,
    egress: rules,
    order: fc.constantFrom(-2, 0.5, 200),
    // With the other policies in one tier, before them and after them.
    tier: fc.constantFrom('default', 'before', 'last'),
  };
  return fc.record(content).map(drawn => ({
    id: id as PolicyId,
    selector: { kind: 'all' },
    types: ['ingress', 'egress'],
    ...drawn,
  }));
}

/** A policy for everybody that names many peers for the same port: its rules become lookups in unions of sets. */
function arbitraryPeerPolicy(): fc.Arbitrary<Policy> {
  const rule = fc
    .record({
      action: fc.constantFrom<Action>('allow', 'allow', 'allow', 'deny', 'pass'),
      ports: fc.constantFrom([80], [80, 443], undefined),
      protocol: fc.constantFrom(6, 17),
    })
    .map(({ action, ports, protocol }) => ({
      action,
      match:
        ports === undefined
          ? {}
          : { protocol, destinationPorts: ports.map(port => ({ min: port, max: port })) },
    }));
  const some = fc.array(arbitraryPeers(rule), { minLength: 1, maxLength: 3 });
  const stages = fc.constantFrom<readonly Stage[] | undefined>(
    undefined,
    undefined,
    ['normal', 'forward'],
    ['untracked'],
  );
  return fc
    .tuple(
      arbitraryForAll(
        'peers',
        some.map(each => each.flat()),
      ),
      stages,
    )
    .map(([policy, at]) => (at === undefined ? policy : { ...policy, stages: at }));
}

/** A world in which every profile begins with those rules. */
function withProfileRules(profiles: Model['profiles'], { ingress, egress }: Rules): Model['profiles'] {
  const all = [...profiles].map(([id, profile]) => {
    const more = { ingress: [...ingress, ...profile.ingress], egress: [...egress, ...profile.egress] };
    return [id, { ...profile, ...more }] as const;
  });
  return new Map(all);
}

/** One packet for each connection: the order of addresses and of ports makes no difference to conntrack. */
function connectionOf(packet: Packet): string {
  const ends = [
    `${packet.source} ${String(packet.sourcePort)}`,
    `${packet.destination} ${String(packet.destinationPort)}`,
  ];
  const isIcmp = packet.icmpType !== undefined;
  // Echo and its answer are one connection, as are types without an answer: one ICMP packet for each pair and code.
  return [packet.protocol, ...ends.sort(), isIcmp ? packet.icmpCode : ''].join(' ');
}

/** Between strangers, who are behind different interfaces: this host just passes it on. */
function arbitraryPassingPacket(): fc.Arbitrary<Packet> {
  const strangers = [...defaultCast.outside, ...remoteAddresses];
  return fc
    .tuple(arbitraryPacket(), fc.constantFrom(...strangers), fc.constantFrom(...strangers))
    .filter(([{ ipVersion }, source, destination]) =>
      [source, destination].every(each => each.includes(':') === (ipVersion === 6)),
    )
    .filter(([, source, destination]) => uplinkOf(source) !== uplinkOf(destination))
    .map(([packet, source, destination]) => ({ ...packet, source, destination }));
}

/** A random world with that many packets. */
export function arbitraryWorld(packetCount: number): fc.Arbitrary<World> {
  const packet = fc
    .oneof(
      { weight: 4, arbitrary: arbitraryPacket() },
      { weight: 2, arbitrary: arbitraryOddPacket() },
      { weight: 1, arbitrary: arbitraryPassingPacket() },
    )
    .chain(drawn =>
      fc.oneof(
        { weight: 19, arbitrary: fc.constant(drawn) },
        { weight: 1, arbitrary: arbitrarySender(drawn) },
      ),
    );
  return fc
    .record({
      model: arbitraryModel(),
      ports: fc.option(arbitraryPortPolicy(), { nil: undefined, freq: 2 }),
      peers: fc.option(arbitraryPeerPolicy(), { nil: undefined, freq: 2 }),
      profilePeers: fc.option(arbitraryPeerPolicy(), { nil: undefined, freq: 1 }),
      down: fc.option(fc.constantFrom(...localSlots), { nil: undefined, freq: 2 }),
      packets: fc.uniqueArray(packet, {
        selector: connectionOf,
        minLength: packetCount,
        maxLength: packetCount,
        size: 'max',
      }),
    })
    .map(({ model, ports, peers, profilePeers, down, packets }): World => {
      const endpoints = new Map(model.endpoints);
      const one = down && endpoints.get(down.id);
      if (one !== undefined) endpoints.set(one.id, { ...one, adminUp: false });
      const policies = new Map(model.policies);
      for (const each of [ports, peers]) if (each !== undefined) policies.set(each.id, each);
      const profiles =
        profilePeers === undefined ? model.profiles : withProfileRules(model.profiles, profilePeers);
      const node = { hosts: new Map([[here, hostAddresses]]), interfaces: new Map([[here, hostInterfaces]]) };
      return { model: { ...model, endpoints, policies, profiles, ...node }, packets };
    });
}

/** Now and then a world has the policies of the one before: then only who is a member of what changes. */
export function withSequels(worlds: readonly World[]): readonly World[] {
  return worlds.map((world, index) => {
    const before = worlds[index - 1];
    if (index % 3 !== 2 || before === undefined) return world;
    const { policies, profiles } = before.model;
    return { ...world, model: { ...world.model, policies, profiles } };
  });
}

/** What turns one model into another: the dataplane never starts afresh. */
export function changesBetween(before: Model | undefined, after: Model): readonly ModelChange[] {
  const all = <Id, Value>(pick: (model: Model) => ReadonlyMap<Id, Value>) =>
    [...new Set([...(before === undefined ? [] : pick(before).keys()), ...pick(after).keys()])].map(
      id => [id, pick(after).get(id)] as const,
    );
  return [
    ...all(model => model.endpoints).map(([id, endpoint]) => ({ kind: 'endpoint', id, endpoint }) as const),
    ...all(model => model.policies).map(([id, policy]) => ({ kind: 'policy', id, policy }) as const),
    ...all(model => model.profiles).map(([id, profile]) => ({ kind: 'profile', id, profile }) as const),
  ];
}
