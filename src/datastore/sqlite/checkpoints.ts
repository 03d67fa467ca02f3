import type { Worker } from 'node:worker_threads';

/**
 * The other thread. It is text, because a bundle has no file that it could start. A passive checkpoint is in nobody's
 * way, but where commits go on all the time it never comes to the end of the log, which can only then begin anew:
 * past so many pages the rest is done with the write lock, for as long as a few pages take.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(new URL(workerData.url), { timeout: 100 });
database.exec('PRAGMA synchronous = NORMAL');
const checkpoint = mode => database.prepare('PRAGMA wal_checkpoint(' + mode + ')').get();
parentPort.on('message', message => {
  if (message === 'close') {
    database.close();
    parentPort.close();
    return;
  }
  const { log, checkpointed } = checkpoint('PASSIVE');
  if (log > checkpointed && log > 2000) checkpoint('RESTART');
});
`;

/**
 * Moves what is in the write-ahead log into the database, in another thread: that syncs the database, which takes
 * 10 to 30 ms on a usual disk, and a commit that SQLite lets do it stops the event loop for as long.
 */
export class Checkpoints {
  readonly #url: string;
  #worker: Worker | undefined;
  #hasFailed = false;

  /** `url` of the database, as SQLite opens it */
  constructor(url: string) {
    this.#url = url;
  }

  /** One more is due. The thread starts with the first; where it cannot, SQLite does it in a commit some time. */
  request(): void {
    if (this.#hasFailed) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage('checkpoint', []);
  }

  /** What is under way still ends. */
  close(): void {
    this.#hasFailed = true;
    this.#worker?.postMessage('close', []);
    this.#worker = undefined;
  }

  #start(): Worker {
    const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
    const worker = new Thread(program, {
      eval: true,
      workerData: { url: this.#url },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    worker.on('error', () => {
      this.#hasFailed = true;
      this.#worker = undefined;
    });
    // It has nothing to do that anybody waits for.
    worker.unref();
    return worker;
  }
}
