import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';

/** Work that is done again and again, with a pause that may change at any time. */
export class Periodic {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #work: () => Promise<void>;
  readonly #name: string;
  #intervalMs = 0;
  #waking = new AbortController();
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: { name: string; work: () => Promise<void>; clock: Clock; log: Logger }) {
    this.#name = parts.name;
    this.#work = parts.work;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** The first time after this long, then with this pause; 0 never. The same pause again changes nothing. */
  setInterval(ms: number): void {
    if (ms === this.#intervalMs || this.#stopped) return;
    const wasOff = this.#intervalMs === 0;
    this.#intervalMs = ms;
    this.#waking.abort();
    this.#waking = new AbortController();
    if (wasOff) this.#running = this.#running.then(async () => await this.#run());
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#intervalMs = 0;
    this.#waking.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#intervalMs > 0) {
      try {
        // A tenth more or less, so that many hosts do not all come at one time.
        await this.#clock.sleep(this.#intervalMs * (0.9 + this.#clock.random() / 5), this.#waking.signal);
      } catch {
        continue;
      }
      await this.#work().catch((error: unknown) => {
        this.#log.error(`${this.#name} failed`, { error: messageOf(error) });
      });
    }
  }
}
