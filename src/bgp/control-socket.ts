import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { CalicoError, messageOf } from '../base/index.js';
import { ReplyReader } from './bird-reply.js';
import type { BirdReply } from './bird-reply.js';

/** How to open a connection to BIRD's control socket. */
export interface ControlSocketOptions {
  readonly path: string;
  /** the longest silence of the daemon while we wait for it; default 2000 */
  readonly timeoutMs?: number;
  /** give up the right to change anything, before the first command */
  readonly readOnly: boolean;
}

interface Waiting {
  readonly resolve: (reply: BirdReply) => void;
  readonly reject: (error: CalicoError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A connection to a running BIRD; commands are answered in the order in which they are sent. */
export class ControlSocket {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #reader = new ReplyReader();
  readonly #waiting: Waiting[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #failure: CalicoError | undefined;

  private constructor(socket: Socket, path: string, timeoutMs: number) {
    this.#socket = socket;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', error =>
      this.#fail(new CalicoError('unavailable', this.#said(error), { cause: error })),
    );
    socket.on('close', () => {
      this.#fail(new CalicoError('unavailable', this.#said('connection closed')));
      this.#closed.resolve();
    });
  }

  /** Connects and reads the greeting; `unavailable` when nobody listens or answers, `corrupt` when it is not BIRD. */
  static async open({ path, timeoutMs = 2000, readOnly }: ControlSocketOptions): Promise<ControlSocket> {
    const control = new ControlSocket(createConnection(path), path, timeoutMs);
    try {
      const greeting = await control.#next();
      if (greeting.code !== 1)
        throw new CalicoError('corrupt', control.#said(`code ${String(greeting.code)}`));
      if (readOnly) await control.command('restrict');
      return control;
    } catch (error) {
      control.close();
      throw error;
    }
  }

  /** Resolves when the daemon, or we, ended the connection. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends one command line and returns the whole answer, whatever its code. */
  async command(text: string): Promise<BirdReply> {
    if (/[^\x20-\x7e]/.test(text))
      throw new CalicoError('invalid', `not one line for BIRD: ${JSON.stringify(text)}`);
    const reply = this.#next();
    this.#socket.write(`${text}\n`);
    return await reply;
  }

  /** Ends the connection; commands without answer fail. */
  close(): void {
    this.#socket.destroy();
  }

  async #next(): Promise<BirdReply> {
    return await new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const timer = setTimeout(() => {
        this.#fail(
          new CalicoError('unavailable', this.#said(`no answer within ${String(this.#timeoutMs)} ms`)),
        );
        this.#socket.destroy();
      }, this.#timeoutMs);
      this.#waiting.push({ resolve, reject, timer });
    });
  }

  #receive(chunk: string): void {
    for (const { timer } of this.#waiting) timer.refresh();
    try {
      for (const reply of this.#reader.push(chunk)) {
        const waiting = this.#waiting.shift();
        clearTimeout(waiting?.timer);
        waiting?.resolve(reply);
      }
    } catch (error) {
      this.#fail(error instanceof CalicoError ? error : new CalicoError('corrupt', this.#said(error)));
      this.#socket.destroy();
    }
  }

  #fail(error: CalicoError): void {
    this.#failure ??= error;
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.#failure);
    }
  }

  #said(what: unknown): string {
    return `BIRD control socket ${this.#path}: ${messageOf(what)}`;
  }
}
