import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { createConnection } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../base/index.js';
import { connectionClosed } from './failures.js';

/**
 * After how long a silence to ask for a sign of life, and how long to wait for it. etcd drops clients that ask
 * more often than every 5 s (its --grpc-keepalive-min-time).
 */
const silenceMs = 6000;
const pingTimeoutMs = 1500;

/** One HTTP/2 connection to a server that has spoken, until it is lost. It keeps a process only while in use. */
export class Session {
  readonly #http2: ClientHttp2Session;
  readonly #clock: Clock;
  #streams = 0;
  #heard: number;
  #asking: Promise<boolean> | undefined;

  constructor(http2: ClientHttp2Session, clock: Clock) {
    this.#http2 = http2;
    this.#clock = clock;
    this.#heard = clock.monotonic();
    http2.unref();
    const timer = setInterval(() => {
      if (!this.isUsable()) clearInterval(timer);
      else if (this.#streams > 0 && this.isSilent()) void this.answers();
    }, silenceMs / 4).unref();
  }

  /** False once it was lost, or the server wants no new calls on it. */
  isUsable(): boolean {
    return !this.#http2.closed && !this.#http2.destroyed;
  }

  isSilent(): boolean {
    return this.#clock.monotonic() - this.#heard >= silenceMs;
  }

  heard(): void {
    this.#heard = this.#clock.monotonic();
  }

  request(headers: OutgoingHttpHeaders, options: object): ClientHttp2Stream {
    const stream = this.#http2.request(headers, options);
    if (this.#streams++ === 0) this.#http2.ref();
    stream.once('close', () => {
      if (--this.#streams === 0) this.#http2.unref();
    });
    return stream;
  }

  /** Asks for a sign of life; a connection that gives none is dead, and all calls on it fail. */
  async answers(timeoutMs = pingTimeoutMs): Promise<boolean> {
    this.#asking ??= this.#ask(timeoutMs).finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  async #ask(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const sent = this.isUsable() && this.#http2.ping(failure => resolve(failure === null));
    const alive = sent && (await promise);
    clearTimeout(timer);
    if (alive) this.heard();
    else this.#http2.destroy(new ConnectError('gives no sign of life', Code.Unavailable));
    return alive;
  }

  close(): void {
    this.#http2.destroy();
  }
}

/** Of no consequence to a server behind a Unix socket, but HTTP wants one. */
const localAuthority = 'http://localhost';

/** What HTTP calls the server of an endpoint. */
export function authorityOf(url: string): string {
  return url.startsWith('unix:') ? localAuthority : url;
}

function dial(url: string, context: SecureContext | undefined): ClientHttp2Session {
  if (!url.startsWith('unix:')) return connect(url, context && { secureContext: context });
  const path = url.slice('unix://'.length);
  return connect(localAuthority, { createConnection: () => createConnection(path) });
}

/** Connects, and waits until the server has spoken HTTP/2: nothing is sent to what is no etcd. */
export async function openSession(
  url: string,
  {
    context,
    clock,
    timeoutMs,
  }: { readonly context: SecureContext | undefined; readonly clock: Clock; readonly timeoutMs: number },
): Promise<Session> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const http2 = dial(url, context);
  // It stays: an error that nobody listens to would end the process.
  http2.on('error', reject);
  http2.once('close', () => reject(new ConnectError(connectionClosed, Code.Unavailable)));
  // A server that refuses our certificate says so after the handshake, and then the session itself is mute.
  http2.once('connect', (_session, socket) => socket.once('error', reject));
  http2.once('remoteSettings', () => resolve());
  const timer = setTimeout(() => {
    const text = `no answer within ${(timeoutMs / 1000).toFixed(1)} s`;
    reject(new ConnectError(text, Code.Unavailable));
  }, timeoutMs);
  try {
    await promise;
    return new Session(http2, clock);
  } catch (error) {
    http2.destroy();
    // So it ends as well when one side speaks TLS and the other does not.
    const reset = error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
    throw reset
      ? new ConnectError(connectionClosed, Code.Unavailable)
      : ConnectError.from(error, Code.Unavailable);
  } finally {
    clearTimeout(timer);
  }
}
