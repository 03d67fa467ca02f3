import { closeSync } from 'node:fs';
import type { Libc } from '../../src/netlink/libc.js';
import { openNetns, withNetns } from '../../src/netlink/netns.js';
import { parseIp } from '../../src/net/index.js';
import type { Packet } from '../../src/policy/index.js';

/** Sends whole IP packets as a process of a host would: they pass its output hook and are routed. */
export interface HostSender {
  send(packet: Packet, bytes: Buffer): void;
  close(): void;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_MARK = 36;

/** The mark by which the host's own test packets are told from whatever else it says. */
export const senderMark = 1;

function socketAddress({ ipVersion, destination }: Packet): Buffer {
  const bits = parseIp(destination)?.bits ?? 0n;
  const address = Buffer.alloc(ipVersion === 4 ? 16 : 28);
  address.writeUInt16LE(ipVersion === 4 ? AF_INET : AF_INET6, 0);
  const hex = bits.toString(16).padStart(ipVersion === 4 ? 8 : 32, '0');
  Buffer.from(hex, 'hex').copy(address, ipVersion === 4 ? 4 : 8);
  return address;
}

/** Opens the sender inside a namespace. */
export async function openHostSender(libc: Libc, netns: string): Promise<HostSender> {
  const { default: koffi } = await import('koffi');
  const sendto = koffi.load(null).func('long sendto(int, void *, size_t, int, void *, uint32_t)');
  const namespace = openNetns(netns);
  const open = (family: number): number => {
    const fd = libc.socket(family, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0) throw new Error(`raw socket: errno ${String(-fd)}`);
    libc.setSocketOption(fd, SOL_SOCKET, SO_MARK, senderMark);
    return fd;
  };
  const fds = withNetns(libc, namespace, () => ({ 4: open(AF_INET), 6: open(AF_INET6) }));
  closeSync(namespace);
  return {
    send(packet, bytes) {
      const address = socketAddress(packet);
      const sent: unknown = sendto(fds[packet.ipVersion], bytes, bytes.length, 0, address, address.length);
      // EPERM is how a process hears that its packet was dropped on the way out.
      if (sent !== bytes.length && koffi.errno() !== 1) {
        throw new Error(`sendto ${packet.destination}: errno ${String(koffi.errno())}`);
      }
    },
    close() {
      libc.close(fds[4]);
      libc.close(fds[6]);
    },
  };
}
