/**
 * The few functions of the C library that netlink needs: the only file that knows the foreign function
 * interface, so that it can be exchanged. All return what the C function returns, or the negated errno.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): number;
  send(fd: number, data: Uint8Array, length: number): number;
  /** Never waits: -EAGAIN when there is nothing. */
  receive(fd: number, into: Uint8Array): number;
  setSocketOption(fd: number, level: number, option: number, value: number): number;
  /** Lets the kernel drop what the classic BPF program (8 bytes an instruction) returns 0 for. */
  attachFilter(fd: number, program: Uint8Array): number;
  close(fd: number): number;
  /** `data` is read by the kernel, and written where the request says so. */
  ioctl(fd: number, request: number, data: Uint8Array): number;
  /** Moves the calling thread into the network namespace that `fd` refers to. */
  enterNetns(fd: number): number;
  /**
   * Sends on a thread of the library's pool, for messages over which the kernel takes its time. `data` must
   * not change before `done`. The errno is not known there: any failure is -EIO.
   */
  sendSlowly(fd: number, data: Uint8Array, done: (result: number) => void): void;
  /**
   * Calls back in the event loop when `fd` can be read (status 0), or once with a negative errno; then it has
   * stopped and needs `restart`. Close it before `fd`. `onReadable` must not throw: the exception would come
   * out of a later, unrelated call.
   */
  poll(fd: number, onReadable: (status: number) => void): Poll;
}

export interface Poll {
  restart(): void;
  close(): void;
}

const EINTR = 4;
const EIO = 5;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const FILTER_INSTRUCTION_LENGTH = 8;
const CLONE_NEWNET = 0x40000000;

/**
 * Loads the FFI (some 15 ms and 8 MiB, which is why nothing imports it at the top) and declares the
 * functions in whatever C library this process runs on.
 */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const socket = library.func('int socket(int, int, int)');
  const bind = library.func('int bind(int, void *, uint32_t)');
  const send = library.func('long send(int, void *, size_t, int)');
  const recv = library.func('long recv(int, void *, size_t, int)');
  const setsockopt = library.func('int setsockopt(int, int, int, void *, uint32_t)');
  const close = library.func('int close(int)');
  const ioctl = library.func('int ioctl(int, unsigned long, void *)');
  const setns = library.func('int setns(int, int)');

  // A signal that Node handles interrupts a system call; all of these may be repeated.
  const repeat = (call: () => number): number => {
    for (;;) {
      const result = call();
      if (result >= 0) return result;
      const errno = koffi.errno();
      if (errno !== EINTR) return -errno;
    }
  };

  return {
    socket: (domain, type, protocol) => repeat(() => socket(domain, type, protocol)),
    bind: (fd, address) => repeat(() => bind(fd, address, address.length)),
    send: (fd, data, length) => repeat(() => send(fd, data, length, 0)),
    receive: (fd, into) => repeat(() => recv(fd, into, into.length, MSG_DONTWAIT)),
    setSocketOption: (fd, level, option, value) =>
      repeat(() => setsockopt(fd, level, option, new Uint8Array(Uint32Array.of(value).buffer), 4)),
    attachFilter: (fd, program) => {
      // struct sock_fprog: the number of instructions, and at the next place for a pointer where they are
      const described = new ArrayBuffer(16);
      new Uint16Array(described)[0] = program.length / FILTER_INSTRUCTION_LENGTH;
      new BigUint64Array(described)[1] = koffi.address(program);
      const bytes = new Uint8Array(described);
      return repeat(() => setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, bytes, bytes.length));
    },
    // Linux frees the number even when close is interrupted: a second close could hit somebody else's.
    close: fd => close(fd),
    ioctl: (fd, request, data) => repeat(() => ioctl(fd, request, data)),
    enterNetns: fd => repeat(() => setns(fd, CLONE_NEWNET)),
    sendSlowly: (fd, data, done) => {
      send.async(fd, data, data.length, 0, (error: unknown, sent: number) => {
        done(error === null && sent >= 0 ? sent : -EIO);
      });
    },
    poll: (fd, onReadable) => {
      // The declared type has (events), koffi 3.3 calls with (status, events).
      const callback = (status: unknown): void => {
        onReadable(Number(status));
      };
      const handle = koffi.node.poll(fd, { readable: true }, callback);
      return {
        restart: () => {
          handle.start({ readable: true }, callback);
        },
        close: () => {
          handle.close();
        },
      };
    },
  };
}
