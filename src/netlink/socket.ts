import {
  MessageWriter,
  align4,
  forEachAttribute,
  forEachMessage,
  HEADER_LENGTH,
  readI32,
  readText,
  readU32,
} from './codec.js';
import type { Message } from './codec.js';
import { kernelError } from './kernel-error.js';
import type { KernelAnswer } from './kernel-error.js';
import type { Libc } from './libc.js';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

const EAGAIN = -11;
/** A dump that the kernel calls interrupted is repeated; someone changes links all the time at the most. */
const DUMP_ATTEMPTS = 5;
/**
 * A handler in the kernel that a signal interrupts (the end of any child process is one) gives up with EINTR,
 * and for that one result netlink sends no acknowledgement: to it, EINTR means that a dump has begun. Nothing
 * was done then, so the request is sent again. Two in a row are rare, ten are another trouble.
 */
export const UNANSWERED_ATTEMPTS = 10;

/** Sequence numbers start again well before they would not fit 32 bits within one batch. */
const LAST_SEQUENCE = 0xf000_0000;
const LARGEST_KEPT_BUFFER = 1024 * 1024;

/** Protocol numbers of netlink sockets. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

/** Modifiers of a NEW request. */
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

/** The C library with the one receive buffer that all sockets of a thread share: nothing is read out of turn. */
export interface Kernel {
  readonly libc: Libc;
  /** 64 KiB: the largest datagram of a dump is 32 KiB */
  readonly received: Uint8Array;
  readonly view: DataView;
}

export function createKernel(libc: Libc): Kernel {
  const received = new Uint8Array(65_536);
  return { libc, received, view: new DataView(received.buffer) };
}

/** A request without its header: type, flags besides REQUEST and ACK, and what writes its body. */
export interface Request {
  readonly type: number;
  readonly flags?: number;
  readonly write: (writer: MessageWriter) => void;
}

/** Bytes that the kernel takes in one go, and that it keeps for us; without them its own defaults. */
export interface SocketBuffers {
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
}

/** Opens a netlink socket in the namespace the thread is in; `groups` is a mask of multicast groups. */
export function openNetlink(
  libc: Libc,
  protocol: number,
  { groups = 0, sendBuffer, receiveBuffer }: SocketBuffers & { readonly groups?: number } = {},
): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (fd < 0) throw kernelError('open netlink socket', { result: fd });
  // sockaddr_nl: family, padding, port 0 (the kernel chooses), groups
  const address = new MessageWriter().u16(AF_NETLINK).u16(0).u32(0).u32(groups).bytes();
  const bound = libc.bind(fd, address);
  if (bound < 0) {
    libc.close(fd);
    throw kernelError('bind netlink socket', { result: bound });
  }
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
    // Older kernels lack some of them: the answers are then only less detailed.
    libc.setSocketOption(fd, SOL_NETLINK, option, 1);
  }
  if (sendBuffer !== undefined) libc.setSocketOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, sendBuffer);
  if (receiveBuffer !== undefined) libc.setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer);
  return fd;
}

/**
 * A socket for requests and their answers. The kernel has queued the whole answer, or the next part of a
 * dump, when a call returns, so nothing ever waits. Not for multicast groups: events would mix with answers.
 */
export class NetlinkSocket {
  readonly #kernel: Kernel;
  readonly #fd: number;
  #writer = new MessageWriter();
  #sequence = 0;
  #open = true;

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel, protocol: number, buffers: SocketBuffers = {}) {
    this.#kernel = kernel;
    this.#fd = openNetlink(kernel.libc, protocol, buffers);
  }

  /**
   * Sends one request and returns what the kernel said; `onReply` sees messages that come before that. One that
   * the kernel dropped is sent again, and the answer says so.
   */
  request(request: Request, onReply?: (message: Message) => void): KernelAnswer {
    for (let attempt = 1; attempt <= UNANSWERED_ATTEMPTS; attempt++) {
      const sequence = this.#send(request, NLM_F_ACK);
      const answer = this.#answer(sequence, message => onReply?.(message));
      if (answer !== undefined) return attempt === 1 ? answer : { ...answer, repeated: true };
    }
    throw noAnswer();
  }

  /**
   * Sends the requests in one datagram, with no flags but REQUEST and their own, and returns all answers by place
   * in the list. Success is silent where ACK was not asked for.
   */
  exchange(requests: readonly Request[]): ReadonlyMap<number, KernelAnswer> {
    const first = this.#begin();
    this.#sequence += requests.length - 1;
    for (const [place, request] of requests.entries()) this.#write(request, first + place, 0);
    this.#transmit();
    const answers = new Map<number, KernelAnswer>();
    const { libc, received, view } = this.#kernel;
    // The answer to the last request is the last of all.
    while (!answers.has(requests.length - 1)) {
      const length = libc.receive(this.#fd, received);
      if (length === EAGAIN) break;
      if (length < 0) throw kernelError('read from the kernel', { result: length });
      forEachMessage(view, length, message => {
        if (message.type !== NLMSG_ERROR) return;
        const place = message.sequence - first;
        if (!answers.has(place)) answers.set(place, readAnswer(message));
      });
    }
    this.#shrink();
    return answers;
  }

  /** Reads a whole table as objects; `read` may return undefined for an entry that does not interest. */
  dump<T>(operation: string, request: Request, read: (message: Message) => T | undefined): T[] {
    let unanswered = 0;
    for (let attempt = 1; ; attempt++) {
      const dumped = this.#dumpOnce(operation, request, read);
      if (dumped !== undefined) {
        if (!dumped.interrupted || attempt - unanswered >= DUMP_ATTEMPTS) return dumped.entries;
      } else if (++unanswered === UNANSWERED_ATTEMPTS) throw noAnswer();
    }
  }

  #dumpOnce<T>(operation: string, request: Request, read: (message: Message) => T | undefined) {
    const sequence = this.#send(request, NLM_F_DUMP);
    const entries: T[] = [];
    let interrupted = false;
    const answer = this.#answer(sequence, message => {
      if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
      const entry = read(message);
      if (entry !== undefined) entries.push(entry);
    });
    if (answer === undefined) return undefined;
    if (answer.result < 0) throw kernelError(operation, answer);
    return { entries, interrupted };
  }

  #send(request: Request, flags: number): number {
    const sequence = this.#begin();
    this.#write(request, sequence, flags);
    this.#transmit();
    return sequence;
  }

  /** Empties the buffer and returns the next sequence number. */
  #begin(): number {
    if (!this.#open) throw new Error('this netlink socket is closed');
    if (this.#sequence > LAST_SEQUENCE) this.#sequence = 0;
    this.#writer.reset();
    return ++this.#sequence;
  }

  #write(request: Request, sequence: number, flags: number): void {
    const writer = this.#writer;
    writer.begin({ type: request.type, flags: NLM_F_REQUEST | flags | (request.flags ?? 0), sequence });
    request.write(writer);
    writer.end();
  }

  #transmit(): void {
    const sent = this.#kernel.libc.send(this.#fd, this.#writer.buffer, this.#writer.length);
    if (sent < 0) throw kernelError('send to the kernel', { result: sent });
  }

  /** A socket lives as long as the process: megabytes of one large batch are not kept for the next. */
  #shrink(): void {
    if (this.#writer.buffer.length > LARGEST_KEPT_BUFFER) this.#writer = new MessageWriter();
  }

  /**
   * Reads until the acknowledgement, or the end of a dump; what came before it goes to `visit`. Undefined when
   * there is none: all that there will ever be is queued when `send` returns.
   */
  #answer(sequence: number, visit: (message: Message) => void): KernelAnswer | undefined {
    const { libc, received, view } = this.#kernel;
    for (;;) {
      const length = libc.receive(this.#fd, received);
      if (length === EAGAIN) return undefined;
      if (length < 0) throw kernelError('read from the kernel', { result: length });
      let answer: KernelAnswer | undefined;
      forEachMessage(view, length, message => {
        if (message.sequence !== sequence) return;
        // The failure of a dump comes as the code of its end.
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) answer = readAnswer(message);
        else visit(message);
      });
      if (answer !== undefined) return answer;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#kernel.libc.close(this.#fd);
  }
}

function noAnswer(): Error {
  return kernelError('the kernel gave no complete answer', { result: EAGAIN });
}

/** Reads NLMSG_ERROR or the end of a dump, with the kernel's own words where it added them. */
export function readAnswer(message: Message): KernelAnswer {
  const { view, start, end, flags, type } = message;
  if (start + 4 > end) return { result: 0 };
  const result = readI32(view, start);
  if ((flags & NLM_F_ACK_TLVS) === 0 || result === 0) return { result };
  // An error repeats the request: its header, and all of it unless capped.
  let at = start + 4;
  if (type === NLMSG_ERROR) {
    at += (flags & NLM_F_CAPPED) !== 0 ? HEADER_LENGTH : align4(readU32(view, start + 4));
  }
  let text: string | undefined;
  let offset: number | undefined;
  forEachAttribute({ view, start: at, end }, (attribute, valueAt, length) => {
    if (attribute === NLMSGERR_ATTR_MSG) text = readText(view, valueAt, length);
    else if (attribute === NLMSGERR_ATTR_OFFS) offset = readU32(view, valueAt);
  });
  const where = offset === undefined ? {} : { offset };
  if (text === undefined) return { result, ...where };
  return { result, words: offset === undefined ? text : `${text} @${String(offset)}`, ...where };
}
