import { forEachMessage, MessageWriter } from './codec.js';
import type { Message } from './codec.js';
import type { Poll } from './libc.js';
import { openNetlink } from './socket.js';
import type { Kernel } from './socket.js';

const EAGAIN = -11;
const ENOBUFS = -105;
/** of the port in a message's header */
const PORT_OFFSET = 12;

export interface EventSocketOptions {
  readonly protocol: number;
  /** mask of multicast groups */
  readonly groups: number;
  /** bytes that the kernel queues before it reports an overrun */
  readonly receiveBuffer: number;
  /** events of changes by the socket with this port are not for us: the kernel leaves them out */
  readonly ignoredPort?: number;
  readonly onMessage: (message: Message) => void;
  /** after all that was queued; `lost` when the kernel had to drop events */
  readonly onDrained: (lost: boolean) => void;
}

/** Receives the events of multicast groups through the event loop, once per turn of it. */
export class EventSocket {
  readonly #kernel: Kernel;
  readonly #options: EventSocketOptions;
  readonly #fd: number;
  readonly #poll: Poll;
  #open = true;

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel, options: EventSocketOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#fd = openNetlink(kernel.libc, options.protocol, options);
    // Without the filter they come too, which only costs: whoever ignores a port looks at it again.
    if (options.ignoredPort !== undefined)
      kernel.libc.attachFilter(this.#fd, withoutPort(options.ignoredPort));
    this.#poll = kernel.libc.poll(this.#fd, status => {
      this.#readable(status);
    });
  }

  #readable(status: number): void {
    if (!this.#open) return;
    try {
      const overrun = this.#drain();
      // An overrun is reported as an error and stops the poll; what was lost shows at the first read.
      if (status < 0) this.#poll.restart();
      this.#options.onDrained(overrun || status < 0);
    } catch (error) {
      // Out of the FFI's callback it would surface in some later, unrelated call.
      setImmediate(() => {
        throw error;
      });
    }
  }

  /** True when events were lost. */
  #drain(): boolean {
    const { libc, received, view } = this.#kernel;
    let overrun = false;
    for (;;) {
      const length = libc.receive(this.#fd, received);
      if (length === ENOBUFS) {
        overrun = true;
        continue;
      }
      if (length === EAGAIN || length < 0) return overrun;
      forEachMessage(view, length, this.#options.onMessage);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // In this order: the number may be somebody else's as soon as it is closed.
    this.#poll.close();
    this.#kernel.libc.close(this.#fd);
  }
}

/** A filter for datagrams whose first message has that port in its header: all of one batch have the same. */
function withoutPort(port: number): Uint8Array {
  const swapped = new DataView(new Uint32Array([port]).buffer).getUint32(0, false);
  const instructions = [
    // load the port, read as big-endian; equal: next, otherwise skip one; return nothing; return all
    { code: 0x20, skipIfNot: 0, value: PORT_OFFSET },
    { code: 0x15, skipIfNot: 1, value: swapped },
    { code: 0x06, skipIfNot: 0, value: 0 },
    { code: 0x06, skipIfNot: 0, value: 0xffff_ffff },
  ];
  const writer = new MessageWriter();
  for (const { code, skipIfNot, value } of instructions) writer.u16(code).u8(0).u8(skipIfNot).u32(value);
  return writer.bytes();
}
