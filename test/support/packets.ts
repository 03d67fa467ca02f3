import { contains, parseCidr, parseIp } from '../../src/net/index.js';
import type { Ip } from '../../src/net/index.js';
import type { Packet } from '../../src/policy/index.js';

/** What a packet on a wire is recognised by: its IPv4 identification or IPv6 flow label. */
export type Mark = number;

/** Extra header bits of a test packet. */
export interface PacketOptions {
  /** TCP flags; default SYN */
  readonly tcpFlags?: number;
}

export const tcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 } as const;

function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

function addressBytes({ version, bits }: Ip): Buffer {
  return Buffer.from(bits.toString(16).padStart(version === 4 ? 8 : 32, '0'), 'hex');
}

/** RFC 1071. */
function checksum(...parts: readonly Buffer[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt8(i) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Transport header and payload, and where in it the checksum belongs. */
function transport(
  packet: Packet,
  { tcpFlags = tcpFlag.syn }: PacketOptions,
): { body: Buffer; checksumAt?: number } {
  const [sport, dport] = [packet.sourcePort ?? 0, packet.destinationPort ?? 0];
  const body = Buffer.alloc(packet.protocol === 6 ? 20 : 32);
  switch (packet.protocol) {
    case 1:
    case 58:
      body.writeUInt8(packet.icmpType ?? 0, 0);
      body.writeUInt8(packet.icmpCode ?? 0, 1);
      body.writeUInt16BE(1 + (packet.icmpCode ?? 0), 4);
      return { body, checksumAt: 2 };
    case 6:
      body.writeUInt16BE(sport, 0);
      body.writeUInt16BE(dport, 2);
      body.writeUInt32BE(1000, 4);
      body.writeUInt8(5 << 4, 12);
      body.writeUInt8(tcpFlags, 13);
      body.writeUInt16BE(64_000, 14);
      return { body, checksumAt: 16 };
    case 17:
      body.writeUInt16BE(sport, 0);
      body.writeUInt16BE(dport, 2);
      body.writeUInt16BE(body.length, 4);
      return { body, checksumAt: 6 };
    case 132:
      // An INIT chunk of 20 bytes; the router is told not to look at checksums.
      body.writeUInt16BE(sport, 0);
      body.writeUInt16BE(dport, 2);
      body.writeUInt8(1, 12);
      body.writeUInt16BE(20, 14);
      body.writeUInt32BE(1, 16);
      return { body };
    default:
      return { body };
  }
}

function pseudoHeader(packet: Packet, length: number): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(length, 0);
  tail.writeUInt8(packet.protocol, 7);
  return Buffer.concat([addressBytes(ip(packet.source)), addressBytes(ip(packet.destination)), tail]);
}

/** The packet as bytes from its IP header on. */
export function packetBytes(packet: Packet, mark: Mark, options: PacketOptions = {}): Buffer {
  const { body, checksumAt } = transport(packet, options);
  if (checksumAt !== undefined) {
    const pseudo = packet.protocol === 1 ? Buffer.alloc(0) : pseudoHeader(packet, body.length);
    body.writeUInt16BE(checksum(pseudo, body) || 0xffff, checksumAt);
  }
  const [source, destination] = [addressBytes(ip(packet.source)), addressBytes(ip(packet.destination))];
  if (packet.ipVersion === 6) {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(0x6000_0000 + mark, 0);
    header.writeUInt16BE(body.length, 4);
    header.writeUInt8(packet.protocol, 6);
    header.writeUInt8(64, 7);
    return Buffer.concat([header, source, destination, body]);
  }
  const header = Buffer.alloc(12);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + body.length, 2);
  header.writeUInt16BE(mark, 4);
  header.writeUInt8(64, 8);
  header.writeUInt8(packet.protocol, 9);
  header.writeUInt16BE(checksum(header, source, destination), 10);
  return Buffer.concat([header, source, destination, body]);
}

/** The mark of a received IP packet; undefined when it is no IP packet. */
export function markOf(bytes: Buffer): Mark | undefined {
  const version = (bytes[0] ?? 0) >>> 4;
  if (version === 4 && bytes.length >= 20) return bytes.readUInt16BE(4);
  if (version === 6 && bytes.length >= 40) return bytes.readUInt32BE(0) & 0xf_ffff;
  return undefined;
}

/** Source address of a received IPv4 packet, as dotted quad. */
export function sourceOf(bytes: Buffer): string {
  return [...bytes.subarray(12, 16)].join('.');
}

/** True when the address lies in the network. */
export function isIn(address: string, cidr: string): boolean {
  const net = parseCidr(cidr);
  return net !== undefined && contains(net, ip(address));
}
