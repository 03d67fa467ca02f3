import { loadLibc } from '../../src/netlink/libc.js';
import type { Libc } from '../../src/netlink/libc.js';

/** The calls for traffic that Node itself has no synchronous form of. All throw where they cannot go on. */
export interface Sockets {
  readonly libc: Libc;
  readonly open: (type: 'stream' | 'datagram' | 'raw') => number;
  readonly bind: (fd: number, address: Uint8Array) => void;
  readonly connect: (fd: number, address: Uint8Array) => void;
  readonly listen: (fd: number) => void;
  readonly accept: (fd: number) => number;
  /** 0 when it would have to wait */
  readonly send: (fd: number, bytes: Uint8Array, length: number) => number;
  /** 0 when there is nothing */
  readonly receive: (fd: number, into: Uint8Array) => number;
  /** Sends some of the messages; returns how many. */
  readonly sendMessages: (fd: number, messages: Uint8Array, count: number) => number;
  /** Lets `close` end a connection at once, by a reset. */
  readonly resetOnClose: (fd: number) => void;
  /** Lets a receiver hold next to nothing. */
  readonly shrink: (fd: number) => void;
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

const AF_INET = 2;
const types = { stream: [1, 6], datagram: [2, 17], raw: [3, 255] } as const;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const SO_LINGER = 13;
const SO_SNDTIMEO = 21;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
/** `struct timeval`: what is not allowed shall not hold up the measurement for minutes */
const longestWait = new Uint8Array(BigUint64Array.of(2n, 0n).buffer);
const noLinger = new Uint8Array(Uint32Array.of(1, 0).buffer);

function checked(what: string, result: number): number {
  if (result < 0) throw new Error(`${what}: errno ${String(-result)}`);
  return result;
}

export async function loadSockets(): Promise<Sockets> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const libc = await loadLibc();
  const connect = library.func('int connect(int, void *, uint32_t)');
  const listen = library.func('int listen(int, int)');
  const accept = library.func('int accept(int, void *, void *)');
  const send = library.func('long send(int, void *, size_t, int)');
  const sendmmsg = library.func('int sendmmsg(int, void *, uint32_t, int)');
  const setsockopt = library.func('int setsockopt(int, int, int, void *, uint32_t)');
  const outcome = (result: unknown): number => (Number(result) < 0 ? -koffi.errno() : Number(result));
  const unlessBusy = (what: string, result: number): number =>
    result === -EAGAIN ? 0 : checked(what, result);
  return {
    libc,
    open: type => {
      const [kind, protocol] = types[type];
      const fd = checked('socket', libc.socket(AF_INET, kind, protocol));
      libc.setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, longestWait, longestWait.length);
      return fd;
    },
    bind: (fd, address) => void checked('bind', libc.bind(fd, address)),
    connect: (fd, address) => void checked('connect', outcome(connect(fd, address, address.length))),
    listen: fd => void checked('listen', outcome(listen(fd, 128))),
    accept: fd => checked('accept', outcome(accept(fd, null, null))),
    send: (fd, bytes, length) => unlessBusy('send', outcome(send(fd, bytes, length, MSG_DONTWAIT))),
    receive: (fd, into) => unlessBusy('recv', libc.receive(fd, into)),
    sendMessages: (fd, messages, count) => checked('sendmmsg', outcome(sendmmsg(fd, messages, count, 0))),
    resetOnClose: fd => void setsockopt(fd, SOL_SOCKET, SO_LINGER, noLinger, noLinger.length),
    shrink: fd => void libc.setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, 1),
    addressOf: bytes => koffi.address(bytes),
  };
}
