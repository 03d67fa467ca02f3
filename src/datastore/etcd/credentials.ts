import { Code, ConnectError } from '@connectrpc/connect';
import type { CallOptions } from '@connectrpc/connect';
import type { Channel } from './channel.js';
import type { EtcdConfig } from './config.js';

/**
 * Who we are: the token that etcd gives for user and password. It is asked for when it is first needed, and
 * again when a server does not know it any more (it was idle for 5 minutes, or the server was restarted).
 */
export class Credentials {
  readonly #user: { readonly name: string; readonly password: string } | undefined;
  #headers: Promise<TokenHeaders> | undefined;

  constructor({ username = '', password = '' }: EtcdConfig) {
    this.#user = username === '' || password === '' ? undefined : { name: username, password };
  }

  /** Calls with the token, and once more with a fresh one when the server does not know it any more. */
  async use<T>(channel: Channel, timeoutMs: number, call: (options: CallOptions) => Promise<T>): Promise<T> {
    if (this.#user === undefined) return await call({ timeoutMs });
    const first = this.#present(channel, timeoutMs);
    try {
      return await call({ timeoutMs, headers: await first });
    } catch (error) {
      if (!isStale(error)) throw error;
      if (this.#headers === first) this.#headers = undefined;
      return await call({ timeoutMs, headers: await this.#present(channel, timeoutMs) });
    }
  }

  #present(channel: Channel, timeoutMs: number): Promise<TokenHeaders> {
    const headers = (this.#headers ??= this.#authenticate(channel, timeoutMs));
    headers.catch(() => {
      if (this.#headers === headers) this.#headers = undefined;
    });
    return headers;
  }

  async #authenticate(channel: Channel, timeoutMs: number): Promise<TokenHeaders> {
    try {
      const { token } = await channel.auth.authenticate(this.#user ?? {}, { timeoutMs });
      return { token };
    } catch (error) {
      // Who has a password for a cluster that asks for none may do all.
      if (error instanceof ConnectError && error.code === Code.FailedPrecondition) return {};
      throw error;
    }
  }
}

type TokenHeaders = Readonly<Record<string, string>>;

/** The server did nothing because of the token; another one may be good. */
function isStale(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  return (
    error.code === Code.Unauthenticated ||
    // What etcd says when users or roles were changed since the token was given.
    error.rawMessage === 'etcdserver: revision of auth store is old'
  );
}
