import type { Message } from './codec.js';
import { EventSocket } from './event-socket.js';
import type { NetworkChange, NetworkEvent } from './host-network.js';
import { readAddress, RTM_DELADDR, RTM_NEWADDR } from './rtnl/addr.js';
import { readLink, RTM_DELLINK, RTM_NEWLINK } from './rtnl/link.js';
import { readNetconf, RTM_NEWNETCONF } from './rtnl/netconf.js';
import { readRoute, RTM_DELROUTE, RTM_NEWROUTE } from './rtnl/route.js';
import { NETLINK_ROUTE, NLM_F_REPLACE } from './socket.js';
import type { Kernel } from './socket.js';

/** Masks of RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, IPV4_NETCONF, IPV6_NETCONF. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400 | 0x80_0000 | 0x100_0000;
/** Holds some ten thousand route events while the process is busy. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
const AF_UNSPEC = 0;

/** Follows links, their settings, addresses and routes of one namespace through the event loop. */
export class NetworkWatch {
  readonly #socket: EventSocket;
  #events: NetworkEvent[] = [];

  /** Opens in the namespace the thread is in. */
  constructor(kernel: Kernel, onChange: (change: NetworkChange) => void, receiveBuffer = RECEIVE_BUFFER) {
    this.#socket = new EventSocket(kernel, {
      protocol: NETLINK_ROUTE,
      groups: GROUPS,
      receiveBuffer,
      onMessage: message => {
        const event = readEvent(message);
        if (event !== undefined) this.#events.push(event);
      },
      onDrained: lost => {
        const events = this.#events;
        this.#events = [];
        if (events.length > 0 || lost) onChange(changeOf(events, lost));
      },
    });
  }

  close(): void {
    this.#socket.close();
  }
}

function changeOf(events: readonly NetworkEvent[], lost: boolean): NetworkChange {
  return {
    links: lost || events.some(({ kind }) => kind === 'link' || kind === 'link-gone'),
    addresses: lost || events.some(({ kind }) => kind === 'address' || kind === 'address-gone'),
    routes: lost || events.some(({ kind }) => kind === 'route' || kind === 'route-gone'),
    overrun: lost,
    events,
  };
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
    case RTM_NEWNETCONF: {
      const link = readNetconf(message);
      return link === undefined ? undefined : { kind: 'settings', link };
    }
    default:
      return undefined;
  }
}
