import { closeSync } from 'node:fs';
import { forEachAttribute, forEachMessage, MessageWriter, readText } from '../../src/netlink/codec.js';
import type { Message } from '../../src/netlink/codec.js';
import { loadLibc } from '../../src/netlink/libc.js';
import { openNetns, withNetns } from '../../src/netlink/netns.js';
import { NETLINK_NETFILTER, openNetlink, readAnswer } from '../../src/netlink/socket.js';

const NFULNL_MSG_PACKET = 0x400;
const NFULNL_MSG_CONFIG = 0x401;
const NFULA_PREFIX = 10;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST_ACK = 5;
/** `struct nfgenmsg` */
const GENERIC_HEADER = 4;

/** Bind the group; of each packet what is said about it, and nothing of itself; and each at once. */
const settings: readonly (readonly [attribute: number, value: Uint8Array])[] = [
  [1, Uint8Array.of(1)],
  [2, Uint8Array.of(0, 0, 0, 0, 1, 0)],
  [5, Uint8Array.of(0, 0, 0, 1)],
];

/** Listens to a group of the kernel's packet log, as ulogd does; the kernel's own log is silent in namespaces. */
export interface PacketLog {
  /** What the lines of the packets that were logged since the last call begin with. */
  prefixes(): readonly string[];
  close(): void;
}

/** Opens in the network namespace of that path. */
export async function createPacketLog(path: string, group: number): Promise<PacketLog> {
  const libc = await loadLibc();
  const namespace = openNetns(path);
  const fd = withNetns(libc, namespace, () => openNetlink(libc, NETLINK_NETFILTER));
  closeSync(namespace);
  const received = new Uint8Array(65_536);
  const drain = (visit: (message: Message) => void): void => {
    for (let length = libc.receive(fd, received); length > 0; length = libc.receive(fd, received)) {
      forEachMessage(new DataView(received.buffer), length, visit);
    }
  };
  // A group belongs to the socket that binds it: answers and packets come by the same one.
  for (const [type, value] of settings) {
    const writer = new MessageWriter().begin({
      type: NFULNL_MSG_CONFIG,
      flags: NLM_F_REQUEST_ACK,
      sequence: 1,
    });
    const request = writer.u8(0).u8(0).u16Net(group).attribute(type, value).end().bytes();
    libc.send(fd, request, request.length);
    let result: number | undefined;
    drain(message => {
      if (message.type === NLMSG_ERROR) ({ result } = readAnswer(message));
    });
    if (result !== 0) throw new Error(`listen to group ${String(group)}: errno ${String(result)}`);
  }
  return {
    prefixes: () => {
      const found: string[] = [];
      drain(({ type, view, start, end }) => {
        if (type !== NFULNL_MSG_PACKET) return;
        forEachAttribute({ view, start: start + GENERIC_HEADER, end }, (attribute, at, length) => {
          if (attribute === NFULA_PREFIX) found.push(readText(view, at, length));
        });
      });
      return found;
    },
    close: () => {
      libc.close(fd);
    },
  };
}
