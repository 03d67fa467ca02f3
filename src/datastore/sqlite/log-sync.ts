// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { closeSync, fdatasync, fdatasyncSync, openSync } = process.getBuiltinModule('node:fs');

/** Syncs that take longer than this stop the event loop for too long. */
const slowMs = 2;
/** So many of them in a row: any disk is slow now and then. */
const slowInARow = 3;
/** How long all go to another thread then. */
const slowForMs = 1000;

/**
 * Brings the write-ahead log of SQLite to the disk. With SQLite's own sync each commit pays for one, and the event
 * loop waits for it; here those that wait at the same time share it. A fast disk is quicker than the way to another
 * thread and back; with a slow one the process works on meanwhile.
 *
 *   commit, commit ──► sync ─────────────► both resolve
 *            commit ──────────► waits ──► sync ─────► resolves
 */
export class LogSync {
  readonly #path: string;
  /** ms */
  readonly #monotonic: () => number;
  #file: number | undefined;
  #running: Promise<void> | undefined;
  /** the one that has not begun: it takes along all that is committed before it does */
  #next: Promise<void> | undefined;
  #slowUntil = -Infinity;
  /** of the last syncs */
  #slow = 0;

  constructor(path: string, monotonic: () => number) {
    this.#path = path;
    this.#monotonic = monotonic;
  }

  /** Resolves when all that was written before is on the disk. */
  async sync(): Promise<void> {
    await (this.#next ??= this.#begin());
  }

  /** Nothing is to be synced any more; what is under way ends by itself. */
  close(): void {
    const end = (): void => {
      if (this.#file !== undefined) closeSync(this.#file);
      this.#file = undefined;
    };
    const last = this.#next ?? this.#running;
    if (last === undefined) end();
    else void last.then(end, end);
  }

  async #begin(): Promise<void> {
    // Who waited for that one is told of its failure.
    await this.#running?.catch(() => undefined);
    // What others commit whose messages have arrived already comes along.
    await new Promise(resolve => {
      setImmediate(resolve);
    });
    this.#next = undefined;
    await (this.#running = this.#run());
  }

  async #run(): Promise<void> {
    // The log carries no locks of SQLite, which the closing of another descriptor would drop.
    this.#file ??= openSync(this.#path, 'r');
    const file = this.#file;
    const begun = this.#monotonic();
    if (begun >= this.#slowUntil) {
      fdatasyncSync(file);
      const ended = this.#monotonic();
      this.#slow = ended - begun > slowMs ? this.#slow + 1 : 0;
      if (this.#slow >= slowInARow) this.#slowUntil = ended + slowForMs;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      fdatasync(file, error => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
}
