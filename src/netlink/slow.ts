import { CalicoError } from '../base/index.js';
import { MessageWriter, forEachMessage } from './codec.js';
import { expectSuccess } from './kernel-error.js';
import type { KernelAnswer } from './kernel-error.js';
import { RTM_DELLINK, writeLinkIndex } from './rtnl/link.js';
import { NETLINK_ROUTE, openNetlink, readAnswer } from './socket.js';
import type { Kernel } from './socket.js';

const NLM_F_REQUEST_ACK = 5;
const NLMSG_ERROR = 2;
const ENODEV = -19;

interface Pending {
  readonly resolve: (answer: KernelAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Requests over which the kernel takes its time, on a socket of their own: deleting a veth keeps the caller
 * waiting for some 20 ms, though other requests go through meanwhile.
 */
export class SlowSocket {
  readonly #kernel: Kernel;
  readonly #fd: number;
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;
  /** threads that still use the descriptor */
  #sending = 0;
  #closing = false;

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#fd = openNetlink(kernel.libc, NETLINK_ROUTE);
  }

  /** Resolves when the link is gone; one that is not there is no error. */
  async deleteLink(index: number): Promise<void> {
    if (this.#closing) throw new Error('this netlink socket is closed');
    const sequence = ++this.#sequence;
    const writer = new MessageWriter();
    writer.begin({ type: RTM_DELLINK, flags: NLM_F_REQUEST_ACK, sequence });
    writeLinkIndex(writer, index);
    const operation = `delete link ${String(index)}`;
    const answer = await new Promise<KernelAnswer>((resolve, reject) => {
      this.#pending.set(sequence, { resolve, reject });
      this.#sending++;
      this.#kernel.libc.sendSlowly(this.#fd, writer.end().bytes(), sent => {
        this.#sending--;
        this.#collect(sequence, sent);
        if (this.#closing && this.#sending === 0) this.#kernel.libc.close(this.#fd);
      });
    });
    expectSuccess(operation, answer, [ENODEV]);
  }

  /** The acknowledgement is there when send returns; those of requests that ended meanwhile come with it. */
  #collect(sequence: number, sent: number): void {
    const { libc, received, view } = this.#kernel;
    if (sent < 0) this.#settle(sequence, { result: sent });
    for (;;) {
      const length = libc.receive(this.#fd, received);
      if (length < 0) break;
      forEachMessage(view, length, message => {
        if (message.type === NLMSG_ERROR) this.#settle(message.sequence, readAnswer(message));
      });
    }
    const lost = this.#pending.get(sequence);
    if (lost !== undefined) {
      this.#pending.delete(sequence);
      lost.reject(new CalicoError('unavailable', 'delete link: the kernel gave no answer'));
    }
  }

  #settle(sequence: number, answer: KernelAnswer): void {
    this.#pending.get(sequence)?.resolve(answer);
    this.#pending.delete(sequence);
  }

  /** Lets what is under way finish, then closes: a thread is still using the descriptor. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#sending === 0) this.#kernel.libc.close(this.#fd);
  }
}
