import { contains, protocolNumbers } from '../net/index.js';
import { matches } from '../selector/index.js';
import type { LabelledEndpoint } from './effective-labels.js';
import type { IcmpMatch, RuleMatch } from './model.js';
import type { Packet } from './packet.js';
import type { Cidr, Ip, PortRange } from '../net/index.js';
import type { Selector } from '../selector/index.js';

/** One side of a packet. */
export interface PacketSide {
  readonly address: Ip;
  readonly port: number | undefined;
  /** all endpoints that have the address: none when it is not one of ours */
  readonly endpoints: readonly LabelledEndpoint[];
}

/** A packet with what rules ask about it. */
export interface MatchContext {
  readonly packet: Packet;
  readonly source: PacketSide;
  readonly destination: PacketSide;
}

function inNets(side: PacketSide, nets: readonly Cidr[]): boolean {
  return nets.some(net => contains(net, side.address));
}

/** A list without a network of the packet's family says nothing about the packet, so it does not match. */
function inNoneOf(side: PacketSide, nets: readonly Cidr[]): boolean {
  return nets.some(net => net.version === side.address.version) && !inNets(side, nets);
}

function selected(side: PacketSide, selector: Selector): boolean {
  return side.endpoints.some(({ labels }) => matches(selector, labels));
}

function tagged(side: PacketSide, tag: string): boolean {
  return side.endpoints.some(({ tags }) => tags.includes(tag));
}

function inPorts({ port }: PacketSide, ranges: readonly PortRange[]): boolean {
  return port !== undefined && ranges.some(({ min, max }) => min <= port && port <= max);
}

function inNoPorts(side: PacketSide, ranges: readonly PortRange[]): boolean {
  return side.port !== undefined && !inPorts(side, ranges);
}

/** Its protocol and port are those of a port so called by an endpoint at its address. */
function isNamedPort({ packet }: MatchContext, side: PacketSide, names: readonly string[]): boolean {
  return side.endpoints.some(({ endpoint: { ports = [] } }) =>
    ports.some(
      ({ name, protocol, port }) =>
        names.includes(name) && protocol === packet.protocol && port === side.port,
    ),
  );
}

function isIcmp({ protocol, ipVersion }: Packet): boolean {
  return protocol === (ipVersion === 4 ? protocolNumbers.icmp : protocolNumbers.icmpv6);
}

function isProtocol(packet: Packet, protocol: number): boolean {
  const isOtherFamily = protocol === (packet.ipVersion === 4 ? protocolNumbers.icmpv6 : protocolNumbers.icmp);
  return packet.protocol === protocol && !isOtherFamily;
}

function hasIcmp({ icmpType, icmpCode }: Packet, { type, code }: IcmpMatch): boolean {
  return icmpType === type && (code === undefined || icmpCode === code);
}

type Criteria = {
  readonly [Field in keyof Required<RuleMatch>]: (
    value: NonNullable<RuleMatch[Field]>,
    context: MatchContext,
    match: RuleMatch,
  ) => boolean;
};

/** One test for each field that a rule can match on. A new field of RuleMatch does not compile until it is here. */
const criteria: Criteria = {
  ipVersion: (version, { packet }) => packet.ipVersion === version,
  protocol: (protocol, { packet }) => isProtocol(packet, protocol),
  notProtocol: (protocol, { packet }) => packet.protocol !== protocol,
  icmp: (icmp, { packet }) => isIcmp(packet) && hasIcmp(packet, icmp),
  notIcmp: (icmp, { packet }) => isIcmp(packet) && !hasIcmp(packet, icmp),
  sourceNets: (nets, { source }) => inNets(source, nets),
  notSourceNets: (nets, { source }) => inNoneOf(source, nets),
  sourceSelector: (selector, { source }) => selected(source, selector),
  notSourceSelector: (selector, { source }) => !selected(source, selector),
  sourceTag: (tag, { source }) => tagged(source, tag),
  notSourceTag: (tag, { source }) => !tagged(source, tag),
  sourcePorts: (ports, context, { sourcePortNames: names }) =>
    inPorts(context.source, ports) || (names !== undefined && isNamedPort(context, context.source, names)),
  notSourcePorts: (ports, { source }) => inNoPorts(source, ports),
  // Beside numbers it is they that ask for the names too.
  sourcePortNames: (names, context, { sourcePorts: ports }) =>
    ports !== undefined || isNamedPort(context, context.source, names),
  notSourcePortNames: (names, context) =>
    context.source.port !== undefined && !isNamedPort(context, context.source, names),
  destinationNets: (nets, { destination }) => inNets(destination, nets),
  notDestinationNets: (nets, { destination }) => inNoneOf(destination, nets),
  destinationSelector: (selector, { destination }) => selected(destination, selector),
  notDestinationSelector: (selector, { destination }) => !selected(destination, selector),
  destinationTag: (tag, { destination }) => tagged(destination, tag),
  notDestinationTag: (tag, { destination }) => !tagged(destination, tag),
  destinationPorts: (ports, context, { destinationPortNames: names }) =>
    inPorts(context.destination, ports) ||
    (names !== undefined && isNamedPort(context, context.destination, names)),
  notDestinationPorts: (ports, { destination }) => inNoPorts(destination, ports),
  // Beside numbers it is they that ask for the names too.
  destinationPortNames: (names, context, { destinationPorts: ports }) =>
    ports !== undefined || isNamedPort(context, context.destination, names),
  notDestinationPortNames: (names, context) =>
    context.destination.port !== undefined && !isNamedPort(context, context.destination, names),
};

function holds<Field extends keyof RuleMatch>(
  field: Field,
  value: RuleMatch[Field] | undefined,
  context: MatchContext,
  match: RuleMatch,
): boolean {
  return value === undefined || value === null || criteria[field](value, context, match);
}

const fields = Object.keys(criteria) as readonly (keyof RuleMatch)[]; // the keys of a literal of that very type

/** The criteria of a rule that the packet does not satisfy; none when the rule matches. */
export function mismatches(match: RuleMatch, context: MatchContext): readonly (keyof RuleMatch)[] {
  return fields.filter(field => !holds(field, match[field], context, match));
}
