import { contains, formatIp, parseCidr, protocolNumbers } from '../net/index.js';
import { addressesOf } from './locate.js';
import type { Endpoint } from './model.js';
import type { Packet } from './packet.js';
import type { PolicySettings } from './settings/policy-settings.js';
import type { Decision } from './verdict.js';

type BuiltInDeny = Extract<Decision, { kind: 'built-in-deny' }>;
type BuiltInAllow = Extract<Decision, { kind: 'built-in-allow' }>;

const IP_IN_IP = 4;
const ROUTER_MESSAGES: readonly (number | undefined)[] = [134, 137];
const NEIGHBOUR_DISCOVERY: readonly (number | undefined)[] = [130, 131, 132, 133, 135, 136];
const linkLocal = parseCidr('fe80::/10');

function isIcmp6(packet: Packet): boolean {
  return packet.ipVersion === 6 && packet.protocol === protocolNumbers.icmpv6;
}

/** What Linux never tracks as a connection: neighbour, router and listener discovery. */
const DISCOVERY: readonly (number | undefined)[] = [130, 131, 132, 133, 134, 135, 136, 143];

/** True for messages without which the link itself does not work, so that no host endpoint's policy is asked. */
export function isDiscovery(packet: Packet): boolean {
  return isIcmp6(packet) && DISCOVERY.includes(packet.icmpType);
}

function isDhcp(packet: Packet): boolean {
  const [client, server] = packet.ipVersion === 4 ? [68, 67] : [546, 547];
  return (
    packet.protocol === protocolNumbers.udp &&
    packet.sourcePort === client &&
    packet.destinationPort === server
  );
}

/** The source is the endpoint's own, or one that has to be used before there is an address. */
function isOwnSource(endpoint: Endpoint, packet: Packet): boolean {
  const { source } = addressesOf(packet);
  if (endpoint.addresses.includes(formatIp(source))) return true;
  if (source.version === 4) return source.bits === 0n && isDhcp(packet);
  return (linkLocal !== undefined && contains(linkLocal, source)) || (source.bits === 0n && isIcmp6(packet));
}

/** True for a packet that no workload may send or get. */
export function isWithoutIpv6(packet: Packet, settings: PolicySettings): boolean {
  return packet.ipVersion === 6 && !settings.ipv6;
}

/** True when the endpoint's interface is one that the host takes for a workload's. */
export function hasPrefix({ interfaceName }: Endpoint, { interfacePrefixes }: PolicySettings): boolean {
  return interfaceName === undefined || interfacePrefixes.some(prefix => interfaceName.startsWith(prefix));
}

/** What no policy can allow a workload to send: false sources, messages of routers, packets made for our tunnels. */
export function deniedFromWorkload(
  endpoint: Endpoint,
  packet: Packet,
  settings: PolicySettings,
): BuiltInDeny | undefined {
  const { protocol, destinationPort } = packet;
  const { allowIpipFromWorkloads, allowVxlanFromWorkloads, vxlanPort } = settings;
  const isVxlan = protocol === protocolNumbers.udp && destinationPort === vxlanPort;
  const isTunnel =
    (protocol === IP_IN_IP && !allowIpipFromWorkloads) || (isVxlan && !allowVxlanFromWorkloads);
  const reason = isWithoutIpv6(packet, settings)
    ? 'ipv6-off'
    : !isOwnSource(endpoint, packet)
      ? 'spoofed-source'
      : !endpoint.adminUp
        ? 'endpoint-down'
        : isIcmp6(packet) && ROUTER_MESSAGES.includes(packet.icmpType)
          ? 'router-message'
          : isTunnel
            ? 'tunnel-packet'
            : undefined;
  return reason && { kind: 'built-in-deny', reason };
}

/** What a workload may always send to its own host (policy-enforcement 1.4). */
export function allowedToHost(packet: Packet, settings: PolicySettings): BuiltInAllow | undefined {
  if (isIcmp6(packet) && NEIGHBOUR_DISCOVERY.includes(packet.icmpType)) {
    return { kind: 'built-in-allow', reason: 'neighbour-discovery' };
  }
  if (!settings.workloadDhcpDnsToHost) return undefined;
  if (isDhcp(packet)) return { kind: 'built-in-allow', reason: 'dhcp' };
  const isDns = packet.protocol === protocolNumbers.udp && packet.destinationPort === 53;
  return isDns ? { kind: 'built-in-allow', reason: 'dns' } : undefined;
}
