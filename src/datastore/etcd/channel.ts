import type { SecureContext } from 'node:tls';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { Http2SessionManager, createGrpcTransport } from '@connectrpc/connect-node';
import { Auth, KV, Watch } from './rpc_pb.js';

/**
 * How often to ask a silent connection for a sign of life. etcd closes connections that ask more often than
 * every 5 s (its --grpc-keepalive-min-time).
 */
const pingIntervalMs = 6000;
const pingTimeoutMs = 2000;

/** One HTTP/2 connection to one etcd server, made when it is needed and made again when it was lost. */
export class Channel {
  readonly url: string;
  readonly auth: Client<typeof Auth>;
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly #sessions: Http2SessionManager;

  constructor(url: string, context: SecureContext | undefined) {
    this.url = url;
    this.#sessions = new Http2SessionManager(
      url,
      { pingIntervalMs, pingTimeoutMs },
      context && { secureContext: context },
    );
    const transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: this.#sessions,
      acceptCompression: [],
    });
    this.auth = createClient(Auth, transport);
    this.kv = createClient(KV, transport);
    this.watch = createClient(Watch, transport);
  }

  /** Makes sure of a connection; throws a ConnectError, after `timeoutMs` at the latest. */
  async connect(timeoutMs: number): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      // Else the attempt would go on, and every later call wait for it. Others' calls on a connection stay.
      if (this.#sessions.state() === 'connecting') this.#sessions.abort();
      reject(
        new ConnectError(`no connection within ${(timeoutMs / 1000).toFixed(1)} s`, Code.DeadlineExceeded),
      );
    }, timeoutMs);
    try {
      const state = await Promise.race([this.#sessions.connect(), promise]);
      if (state === 'error') throw ConnectError.from(this.#sessions.error(), Code.Unavailable);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#sessions.abort();
  }
}
