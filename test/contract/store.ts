import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { Store, StoreConfig } from '../../src/datastore/index.js';
import { contentContract } from './store-content.js';
import { processContract } from './store-processes.js';
import { watchContract } from './store-watch.js';
import { buildWorkerProgram } from './support/start-worker.js';
import type { Worker, WorkerProgram } from './support/start-worker.js';
import type { Task } from './support/worker.js';

/** An empty store that lives as long as one test. */
export interface StoreUnderTest {
  /** how another process opens the same content */
  readonly config: StoreConfig;
  /** One more handle on the same content. */
  open(): Promise<Store>;
  /** Makes the store forget the history up to now; it may write under `filler/`. */
  forgetHistory(): Promise<void>;
  dispose(): Promise<void>;
}

export interface StoreContractOptions {
  readonly name: string;
  readonly create: () => Promise<StoreUnderTest>;
  /** parts that a store cannot keep, each with the reason */
  readonly skip?: Readonly<Partial<Record<'content' | 'watch' | 'processes', string>>>;
}

/** What the parts of the contract work with. */
export interface Subject {
  /** the store of the present test */
  store(): Store;
  underTest(): StoreUnderTest;
  /** One more handle on it, closed after the test. */
  open(): Promise<Store>;
  startWorker(task: WithoutConfig<Task>): Worker;
}

type WithoutConfig<T> = T extends unknown ? Omit<T, 'config'> : never;

/** The suite that every datastore must pass: `src/datastore/store.ts` says in types what this proves. */
export function runStoreContract({ name, create, skip = {} }: StoreContractOptions): void {
  describe(`${name} keeps the store contract`, () => {
    let underTest: StoreUnderTest;
    let handles: Store[];
    let workers: WorkerProgram;

    beforeAll(async () => {
      workers = await buildWorkerProgram();
    });
    afterAll(async () => {
      await workers.dispose();
    });
    beforeEach(async () => {
      underTest = await create();
      handles = [await underTest.open()];
    });
    afterEach(async () => {
      for (const handle of handles) await handle.close();
      await underTest.dispose();
    });

    const subject: Subject = {
      store: () => {
        const [store] = handles;
        if (store === undefined) throw new Error('outside a test');
        return store;
      },
      underTest: () => underTest,
      open: async () => {
        const store = await underTest.open();
        handles.push(store);
        return store;
      },
      startWorker: task => workers.start({ ...task, config: underTest.config }),
    };
    describe.skipIf(skip.content !== undefined)('content', () => {
      contentContract(subject);
    });
    describe.skipIf(skip.watch !== undefined)('watch', () => {
      watchContract(subject);
    });
    describe.skipIf(skip.processes !== undefined)('processes', () => {
      processContract(subject);
    });
  });
}
