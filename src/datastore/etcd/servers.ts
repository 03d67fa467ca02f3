import type { SecureContext } from 'node:tls';
import type { CallOptions } from '@connectrpc/connect';
import { CalicoError } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import { Channel } from './channel.js';
import type { Credentials } from './credentials.js';
import { faultOf, isServerFault, noServer, refusal, unknownOutcome } from './failures.js';
import type { Fault } from './failures.js';

/** How long a call may take, with all attempts: an operator waits no longer for bad news. */
const budgetMs = 4500;
/** How long to wait for a connection to one server while there are others. */
const maxConnectMs = 1500;

export interface ServersOptions {
  readonly urls: readonly string[];
  readonly context: SecureContext | undefined;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** One thing to ask of a server. Its time limit is in the options. */
export type Call<T> = (channel: Channel, options: CallOptions) => Promise<T>;

/**
 * The servers of one cluster. Calls go to one of them as long as it answers, and then to the next; which is
 * the first is left to chance, so that many hosts spread over all.
 */
export class Servers {
  readonly #channels: readonly Channel[];
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  #current: number;
  #closed = false;

  constructor({ urls, context, credentials, clock }: ServersOptions) {
    this.#channels = urls.map(url => new Channel({ url, context, clock }));
    this.#credentials = credentials;
    this.#clock = clock;
    this.#current = Math.floor(clock.random() * urls.length);
  }

  /** Asks what may be asked again: each server in turn, and the first one twice. */
  async read<T>(call: Call<T>): Promise<T> {
    return await this.#ask(call, { attempts: this.#channels.length + 1, repeatable: true });
  }

  /** Asks what must happen at most once: another server is tried only as long as nothing was sent. */
  async write<T>(call: Call<T>): Promise<T> {
    return await this.#ask(call, { attempts: this.#channels.length, repeatable: false });
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels) channel.close();
  }

  async #ask<T>(call: Call<T>, { attempts, repeatable }: Manner): Promise<T> {
    const end = this.#clock.monotonic() + budgetMs;
    // In whole milliseconds: it becomes a header that servers refuse otherwise.
    const remaining = (): number => Math.max(1, Math.round(end - this.#clock.monotonic()));
    const unreachable = new Set<Channel>();
    const faults = new Map<Channel, Fault>();
    let cause: unknown;
    for (let left = attempts; left > 0; left--) {
      const channel = this.#channel();
      if (unreachable.has(channel)) break;
      const share = (): number => Math.ceil(remaining() / left);
      let underWay = false;
      unreachable.add(channel);
      try {
        await channel.connect(Math.min(share(), maxConnectMs));
        unreachable.delete(channel);
        return await this.#credentials.use(channel, repeatable ? share() : remaining(), async options => {
          underWay = true;
          return await call(channel, options);
        });
      } catch (error) {
        if (!isServerFault(error)) throw refusal(error, channel.url);
        const fault = faultOf(error, channel.url);
        if (underWay && !repeatable) throw unknownOutcome(fault, error);
        faults.set(channel, fault);
        cause = error;
        this.#leave(channel);
      }
    }
    throw noServer([...faults.values()], cause);
  }

  #channel(): Channel {
    const channel = this.#channels[this.#current];
    if (this.#closed || channel === undefined) throw new CalicoError('unavailable', 'datastore: is closed');
    return channel;
  }

  /** The next call goes elsewhere, unless another one has seen to that already. */
  #leave(channel: Channel): void {
    if (this.#channels[this.#current] !== channel) return;
    this.#current = (this.#current + 1) % this.#channels.length;
  }
}

interface Manner {
  readonly attempts: number;
  readonly repeatable: boolean;
}
