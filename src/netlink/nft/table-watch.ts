import type { Message } from '../codec.js';
import { readU32 } from '../codec.js';
import { EventSocket } from '../event-socket.js';
import { NETLINK_NETFILTER } from '../socket.js';
import type { Kernel } from '../socket.js';
import { isInet, tableOf } from './message.js';

/** Mask of NFNLGRP_NFTABLES. */
const GROUPS = 1 << 6;
/** Enough for changes of others; more of them are an overrun, which is told like a change. */
const RECEIVE_BUFFER = 1024 * 1024;

export interface TableWatchOptions {
  readonly table: string;
  /** port of the socket whose changes are ours */
  readonly ownPort: number;
  readonly onForeignChange: () => void;
}

/** Hears of each change to a table that did not come from us. */
export class TableWatch {
  readonly #socket: EventSocket;
  readonly #options: TableWatchOptions;
  #isForeign = false;

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel, options: TableWatchOptions) {
    this.#options = options;
    this.#socket = new EventSocket(kernel, {
      protocol: NETLINK_NETFILTER,
      groups: GROUPS,
      receiveBuffer: RECEIVE_BUFFER,
      // A batch of ours with thousands of elements would overrun us with as many events.
      ignoredPort: options.ownPort,
      onMessage: message => {
        this.#isForeign ||= this.#tellsOfForeignChange(message);
      },
      onDrained: lost => {
        if (!this.#isForeign && !lost) return;
        this.#isForeign = false;
        options.onForeignChange();
      },
    });
  }

  #tellsOfForeignChange(message: Message): boolean {
    const { table, ownPort } = this.#options;
    return portOf(message) !== ownPort && isInet(message) && tableOf(message) === table;
  }

  close(): void {
    this.#socket.close();
  }
}

/** The port in a message's header: whom an answer is for, and who made the change that an event tells of. */
export function portOf({ view, start }: Message): number {
  return readU32(view, start - 4);
}
