import { CalicoError } from '../base/index.js';
import { MessageWriter, forEachMessage } from './codec.js';
import { expectSuccess } from './kernel-error.js';
import type { KernelAnswer } from './kernel-error.js';
import { RTM_DELLINK, writeLinkIndex } from './rtnl/link.js';
import { NETLINK_ROUTE, openNetlink, readAnswer, UNANSWERED_ATTEMPTS } from './socket.js';
import type { Kernel } from './socket.js';

const NLM_F_REQUEST_ACK = 5;
const NLMSG_ERROR = 2;
const ENODEV = -19;

/**
 * Requests over which the kernel takes its time, on a socket of their own: deleting a veth keeps the caller
 * waiting for some 20 ms, though other requests go through meanwhile.
 */
export class SlowSocket {
  readonly #kernel: Kernel;
  readonly #fd: number;
  readonly #pending = new Map<number, (answer: KernelAnswer | undefined) => void>();
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
    const operation = `delete link ${String(index)}`;
    for (let attempt = 1; attempt <= UNANSWERED_ATTEMPTS; attempt++) {
      const answer = await this.#request(RTM_DELLINK, writer => {
        writeLinkIndex(writer, index);
      });
      if (answer === undefined) continue;
      expectSuccess(operation, answer, [ENODEV]);
      return;
    }
    throw new CalicoError('unavailable', `${operation}: the kernel gave no answer`);
  }

  /** What the kernel said, or undefined when it dropped the request (see UNANSWERED_ATTEMPTS). */
  async #request(type: number, write: (writer: MessageWriter) => void): Promise<KernelAnswer | undefined> {
    if (this.#closing) throw new CalicoError('unavailable', 'this netlink socket is closed');
    const sequence = ++this.#sequence;
    const writer = new MessageWriter();
    writer.begin({ type, flags: NLM_F_REQUEST_ACK, sequence });
    write(writer);
    const { promise, resolve } = Promise.withResolvers<KernelAnswer | undefined>();
    this.#pending.set(sequence, resolve);
    this.#sending++;
    this.#kernel.libc.sendSlowly(this.#fd, writer.end().bytes(), sent => {
      this.#sending--;
      this.#collect(sequence, sent);
      if (this.#closing && this.#sending === 0) this.#kernel.libc.close(this.#fd);
    });
    return await promise;
  }

  /** The acknowledgement is there when send returns; those of requests that ended meanwhile come with it. */
  #collect(sequence: number, sent: number): void {
    const { libc, received, view } = this.#kernel;
    let length = sent;
    while (length >= 0) {
      length = libc.receive(this.#fd, received);
      forEachMessage(view, length, message => {
        if (message.type === NLMSG_ERROR) this.#settle(message.sequence, readAnswer(message));
      });
    }
    // A failed send is not told from an interrupted one there: it was not carried out either.
    this.#settle(sequence, undefined);
  }

  #settle(sequence: number, answer: KernelAnswer | undefined): void {
    this.#pending.get(sequence)?.(answer);
    this.#pending.delete(sequence);
  }

  /** Lets what is under way finish, then closes: a thread is still using the descriptor. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#sending === 0) this.#kernel.libc.close(this.#fd);
  }
}
