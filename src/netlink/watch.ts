import { forEachMessage } from './codec.js';
import type { Message } from './codec.js';
import type { NetworkChange, NetworkEvent } from './host-network.js';
import type { Poll } from './libc.js';
import { readAddress, RTM_DELADDR, RTM_NEWADDR } from './rtnl/addr.js';
import { readLink, RTM_DELLINK, RTM_NEWLINK } from './rtnl/link.js';
import { readRoute, RTM_DELROUTE, RTM_NEWROUTE } from './rtnl/route.js';
import { NETLINK_ROUTE, NLM_F_REPLACE, openNetlink } from './socket.js';
import type { Kernel } from './socket.js';

/** Masks of RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
/** Holds some ten thousand route events while the process is busy. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
const AF_UNSPEC = 0;
const EAGAIN = -11;
const ENOBUFS = -105;

/** Follows links, addresses and routes of one namespace through the event loop. */
export class NetworkWatch {
  readonly #kernel: Kernel;
  readonly #fd: number;
  readonly #poll: Poll;
  readonly #onChange: (change: NetworkChange) => void;
  #open = true;

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel, onChange: (change: NetworkChange) => void, receiveBuffer = RECEIVE_BUFFER) {
    this.#kernel = kernel;
    this.#onChange = onChange;
    this.#fd = openNetlink(kernel.libc, NETLINK_ROUTE, GROUPS);
    kernel.libc.setSocketOption(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer);
    this.#poll = kernel.libc.poll(this.#fd, status => {
      this.#readable(status);
    });
  }

  #readable(status: number): void {
    if (!this.#open) return;
    try {
      const { events, overrun } = this.#drain();
      // An overrun is reported as an error and stops the poll; what was lost shows at the first read.
      if (status < 0) this.#poll.restart();
      const lost = overrun || status < 0;
      if (events.length === 0 && !lost) return;
      this.#onChange({
        links: lost || events.some(({ kind }) => kind === 'link' || kind === 'link-gone'),
        addresses: lost || events.some(({ kind }) => kind === 'address' || kind === 'address-gone'),
        routes: lost || events.some(({ kind }) => kind === 'route' || kind === 'route-gone'),
        overrun: lost,
        events,
      });
    } catch (error) {
      // Out of the FFI's callback it would surface in some later, unrelated call.
      setImmediate(() => {
        throw error;
      });
    }
  }

  #drain(): { readonly events: readonly NetworkEvent[]; readonly overrun: boolean } {
    const { libc, received, view } = this.#kernel;
    const events: NetworkEvent[] = [];
    let overrun = false;
    for (;;) {
      const length = libc.receive(this.#fd, received);
      if (length === ENOBUFS) {
        overrun = true;
        continue;
      }
      if (length === EAGAIN || length < 0) return { events, overrun };
      forEachMessage(view, length, message => {
        const event = readEvent(message);
        if (event !== undefined) events.push(event);
      });
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

function readEvent(message: Message): NetworkEvent | undefined {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      // Bridge ports announce themselves in the same group with their own family: no change of the link.
      if (message.view.getUint8(message.start) !== AF_UNSPEC) return undefined;
      const { peerIndex: _, ...link } = readLink(message);
      return { kind: message.type === RTM_NEWLINK ? 'link' : 'link-gone', link };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return {
        kind: message.type === RTM_NEWADDR ? 'address' : 'address-gone',
        address: readAddress(message),
      };
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const route = readRoute(message);
      if (route === undefined) return undefined;
      if (message.type === RTM_DELROUTE) return { kind: 'route-gone', route };
      return { kind: 'route', route, replaces: (message.flags & NLM_F_REPLACE) !== 0 };
    }
    default:
      return undefined;
  }
}
