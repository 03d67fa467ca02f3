import type { Server } from 'node:http';
import { closeServer, messageOf, serveOnPort } from '../base/index.js';
import type { Clock, HttpHandler, Logger } from '../base/index.js';

/** Where to listen; undefined: not at all. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

const RETRY_MS = 2_000;

/** A TCP listener that may be moved, and that tries again while its port is taken. */
export class Listener {
  readonly #parts: {
    readonly name: string;
    readonly handler: HttpHandler;
    readonly clock: Clock;
    readonly log: Logger;
  };
  #place: Place | undefined;
  #moving = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #server: Server | undefined;
  #problem: string | undefined;

  constructor(parts: { name: string; handler: HttpHandler; clock: Clock; log: Logger }) {
    this.#parts = parts;
  }

  /** Why nothing listens though it should. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when the first attempt is over, whatever came of it. */
  async move(place: Place | undefined): Promise<void> {
    if (JSON.stringify(place) === JSON.stringify(this.#place)) return;
    this.#place = place;
    this.#moving.abort();
    const moving = new AbortController();
    this.#moving = moving;
    this.#turn = this.#turn.then(async () => {
      if (this.#server !== undefined) await closeServer(this.#server);
      this.#server = undefined;
      this.#problem = undefined;
      if (place !== undefined && !moving.signal.aborted) await this.#attempt(place, moving.signal);
    });
    await this.#turn;
  }

  async #attempt(place: Place, signal: AbortSignal): Promise<void> {
    const { name, handler, clock, log } = this.#parts;
    try {
      this.#server = await serveOnPort(place.host, place.port, handler);
      this.#problem = undefined;
      log.info(`${name} is answered`, { ...place });
    } catch (error) {
      const problem = `${name} is not answered: ${messageOf(error)}`;
      if (problem !== this.#problem) log.error(problem, { retryInMs: RETRY_MS });
      this.#problem = problem;
      clock
        .sleep(RETRY_MS, signal)
        .then(() => {
          this.#turn = this.#turn.then(async () => {
            if (!signal.aborted) await this.#attempt(place, signal);
          });
        })
        .catch(() => undefined);
    }
  }
}
