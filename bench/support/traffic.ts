import { closeSync } from 'node:fs';
import { openNetns, warmThreadPool, withNetns } from '../../src/netlink/netns.js';
import { loadSockets } from './sockets.js';
import type { Sockets } from './sockets.js';
import { socketAddress, udpFlood } from './udp-flood.js';
import type { UdpEnds } from './udp-flood.js';

/**
 * Traffic between two workloads with both ends on one thread: what a call sends, the kernel takes all the way
 * through the host before the call returns. So the processor time of this thread is what the way costs, and no
 * scheduling of two programs is in it.
 */
export interface Traffic {
  /** UDP packets each of which begins a flow; at most 64,000 between two calls of whoever forgets flows. */
  firstPackets(count: number): void;
  /** UDP packets of a flow that has been answered. */
  established(count: number): void;
  /** TCP connections: opened, accepted, reset. */
  connections(count: number): void;
  /** Mebibytes over a TCP connection of its own. */
  bulk(mebibytes: number): void;
  /** Sends one UDP packet; true when it arrives. */
  probe(): boolean;
  close(): void;
}

export interface TrafficEnds extends UdpEnds {
  /** paths of namespaces */
  readonly fromNetns: string;
  readonly toNetns: string;
}

const answeredPort = 1023;
const probedPort = 1022;
const firstPort = 1024;
const lastPort = 0xffff;

class Pair implements Traffic {
  readonly #sockets: Sockets;
  readonly #ends: TrafficEnds;
  readonly #client: number;
  readonly #server: number;
  readonly #raw: number;
  readonly #listener: number;
  readonly #sink: number;
  readonly #flood;
  readonly #to: Uint8Array;
  readonly #piece = Buffer.alloc(1 << 18);
  #nextPort = firstPort;

  constructor(sockets: Sockets, ends: TrafficEnds) {
    this.#sockets = sockets;
    this.#ends = ends;
    this.#client = openNetns(ends.fromNetns);
    this.#server = openNetns(ends.toNetns);
    this.#to = socketAddress(ends.to, ends.port);
    this.#raw = this.#at(this.#client, () => sockets.open('raw'));
    this.#listener = this.#at(this.#server, () => sockets.open('stream'));
    sockets.bind(this.#listener, this.#to);
    sockets.listen(this.#listener);
    this.#sink = this.#at(this.#server, () => sockets.open('datagram'));
    // What nobody reads is dropped, and nothing else shall happen to it.
    sockets.shrink(this.#sink);
    sockets.bind(this.#sink, this.#to);
    this.#flood = udpFlood(bytes => sockets.addressOf(bytes), ends);
  }

  firstPackets(count: number): void {
    this.#send(count, () => {
      this.#nextPort = this.#nextPort === lastPort ? firstPort : this.#nextPort + 1;
      return this.#nextPort;
    });
  }

  established(count: number): void {
    this.#answer();
    this.#send(count, () => answeredPort);
  }

  connections(count: number): void {
    const { libc } = this.#sockets;
    this.#at(this.#client, () => {
      for (let index = 0; index < count; index++) {
        const [from, into] = this.#connected();
        libc.close(from);
        libc.close(into);
      }
    });
  }

  bulk(mebibytes: number): void {
    const { send, receive, libc } = this.#sockets;
    const [from, into] = this.#at(this.#client, () => this.#connected());
    for (let left = mebibytes << 20; left > 0;) {
      left -= send(from, this.#piece, Math.min(left, this.#piece.length));
      while (receive(into, this.#piece) > 0);
    }
    libc.close(from);
    libc.close(into);
  }

  probe(): boolean {
    const { receive, sendMessages } = this.#sockets;
    while (receive(this.#sink, this.#piece) > 0);
    this.#flood.setSourcePort(0, probedPort);
    sendMessages(this.#raw, this.#flood.messages, 1);
    return receive(this.#sink, this.#piece) > 0;
  }

  close(): void {
    for (const fd of [this.#raw, this.#listener, this.#sink]) this.#sockets.libc.close(fd);
    closeSync(this.#client);
    closeSync(this.#server);
  }

  #at<T>(netns: number, use: () => T): T {
    return withNetns(this.#sockets.libc, netns, use);
  }

  /** From where the caller is; both ends of it. */
  #connected(): readonly [from: number, into: number] {
    const { open, connect, accept, resetOnClose } = this.#sockets;
    const from = open('stream');
    connect(from, this.#to);
    resetOnClose(from);
    return [from, accept(this.#listener)];
  }

  #send(count: number, portOf: () => number): void {
    const { messages, messageLength, count: batch, setSourcePort } = this.#flood;
    for (let sent = 0; sent < count; sent += batch) {
      for (let index = 0; index < batch; index++) setSourcePort(index, portOf());
      for (let done = 0; done < batch;) {
        done += this.#sockets.sendMessages(this.#raw, messages.subarray(done * messageLength), batch - done);
      }
    }
  }

  /** A datagram there and one back, so that tracking knows the flow as established. */
  #answer(): void {
    const { open, bind, connect, send, receive, libc } = this.#sockets;
    const client = this.#at(this.#client, () => open('datagram'));
    bind(client, socketAddress(this.#ends.from, answeredPort));
    connect(client, this.#to);
    const one = Buffer.from('x');
    send(client, one, 1);
    connect(this.#sink, socketAddress(this.#ends.from, answeredPort));
    send(this.#sink, one, 1);
    connect(this.#sink, Buffer.alloc(16)); // to nobody: it takes from everybody again
    if (receive(client, one) !== 1) throw new Error('a flow was not answered');
    libc.close(client);
  }
}

/** Opens both ends, each in its network namespace. */
export async function openTraffic(ends: TrafficEnds): Promise<Traffic> {
  await warmThreadPool();
  return new Pair(await loadSockets(), ends);
}
