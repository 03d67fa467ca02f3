import { parseIp } from '../../src/net/index.js';

/** Whole IPv4 packets with UDP in them, as `sendmmsg` takes them. */
export interface UdpFlood {
  /** the array of `struct mmsghdr` */
  readonly messages: Uint8Array;
  readonly messageLength: number;
  readonly count: number;
  readonly setSourcePort: (index: number, port: number) => void;
  /** what the messages point to, and so must not be collected */
  readonly pointedTo: readonly Uint8Array[];
}

export interface UdpEnds {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

const COUNT = 512;
const PACKET = 20 + 8 + 18;
const MMSGHDR = 64;
const IOVEC = 16;
const AF_INET = 2;
const IPPROTO_UDP = 17;

function bitsOf(address: string): number {
  return Number(parseIp(address)?.bits ?? 0n);
}

/** `struct sockaddr_in` */
export function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt32BE(bitsOf(address), 4);
  return bytes;
}

/** `addressOf` tells where bytes are in memory: they must not move while the flood is in use. */
export function udpFlood(addressOf: (bytes: Uint8Array) => bigint, { from, to, port }: UdpEnds): UdpFlood {
  const packets = Buffer.alloc(COUNT * PACKET);
  const vectors = Buffer.alloc(COUNT * IOVEC);
  const messages = Buffer.alloc(COUNT * MMSGHDR);
  const name = socketAddress(to, 0);
  for (let index = 0; index < COUNT; index++) {
    const at = index * PACKET;
    packets.writeUInt8(0x45, at);
    packets.writeUInt8(64, at + 8); // time to live; the kernel fills in length and checksum
    packets.writeUInt8(IPPROTO_UDP, at + 9);
    packets.writeUInt32BE(bitsOf(from), at + 12);
    packets.writeUInt32BE(bitsOf(to), at + 16);
    packets.writeUInt16BE(port, at + 22);
    packets.writeUInt16BE(PACKET - 20, at + 24);
    vectors.writeBigUInt64LE(addressOf(packets) + BigInt(at), index * IOVEC);
    vectors.writeBigUInt64LE(BigInt(PACKET), index * IOVEC + 8);
    messages.writeBigUInt64LE(addressOf(name), index * MMSGHDR);
    messages.writeUInt32LE(name.length, index * MMSGHDR + 8);
    messages.writeBigUInt64LE(addressOf(vectors) + BigInt(index * IOVEC), index * MMSGHDR + 16);
    messages.writeBigUInt64LE(1n, index * MMSGHDR + 24);
  }
  return {
    messages,
    messageLength: MMSGHDR,
    count: COUNT,
    setSourcePort(index, value) {
      packets.writeUInt16BE(value, index * PACKET + 20);
    },
    pointedTo: [packets, vectors, name],
  };
}
