import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import type { SecureContext } from 'node:tls';
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { Clock } from '../../base/index.js';
import { Auth, KV, Lease, Watch } from './rpc_pb.js';
import { authorityOf, openSession } from './session.js';
import type { Session } from './session.js';

export interface ChannelOptions {
  /** of the form `https://10.0.0.1:2379`, or `unix:///path` */
  readonly url: string;
  /** for https */
  readonly context: SecureContext | undefined;
  readonly clock: Clock;
}

/** For a connection that is lost between the look at it and the call: it has no time limit of its own. */
const reopenMs = 1500;

/**
 * The way to one etcd server: one connection, made when it is needed and made again when it was lost.
 *
 * It does the part of the library's session manager, which sends a call before the server has spoken, and
 * takes its listener off a failed session so early that the error can end the process.
 */
export class Channel {
  readonly url: string;
  readonly auth: Client<typeof Auth>;
  readonly kv: Client<typeof KV>;
  readonly lease: Client<typeof Lease>;
  readonly watch: Client<typeof Watch>;
  readonly #options: ChannelOptions;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #closed = false;

  constructor(options: ChannelOptions) {
    const { url } = options;
    this.url = url;
    this.#options = options;
    const transport = createGrpcTransport({
      baseUrl: authorityOf(url),
      sessionManager: {
        authority: authorityOf(url),
        request: async (method, path, headers, streamOptions) =>
          await this.#request({ ...headers, ':method': method, ':path': path }, streamOptions),
        notifyResponseByteRead: () => this.#session?.heard(),
      },
      acceptCompression: [],
    });
    this.auth = createClient(Auth, transport);
    this.kv = createClient(KV, transport);
    this.lease = createClient(Lease, transport);
    this.watch = createClient(Watch, transport);
  }

  /** Makes sure of a connection that lives; throws a ConnectError, after `timeoutMs` at the latest. */
  async connect(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.monotonic() + timeoutMs;
    const session = this.#session;
    if (session?.isUsable() === true) {
      if (!session.isSilent() || (await session.answers(Math.round(timeoutMs / 2)))) return;
    }
    await this.#open(Math.max(1, Math.round(end - clock.monotonic())));
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  async #request(headers: OutgoingHttpHeaders, options: object): Promise<ClientHttp2Stream> {
    const session = this.#session;
    return (session?.isUsable() === true ? session : await this.#open(reopenMs)).request(headers, options);
  }

  async #open(timeoutMs: number): Promise<Session> {
    const { url, context, clock } = this.#options;
    this.#opening ??= openSession(url, { context, clock, timeoutMs });
    const opening = this.#opening;
    try {
      const session = await opening;
      if (this.#closed) session.close();
      else this.#session = session;
      return session;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }
}
