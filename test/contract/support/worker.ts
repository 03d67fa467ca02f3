import { isCalicoError, systemClock } from '../../../src/base/index.js';
import { openStore } from '../../../src/datastore/index.js';
import type { Store, StoreConfig } from '../../../src/datastore/index.js';
import { createAllocator } from '../../../src/ipam/index.js';

/** What another process does with the store; it says `{ revision, number }` after each commit. */
export type Task =
  /** adds one to a number, so many times, by compare-and-swap */
  | { readonly kind: 'count'; readonly config: StoreConfig; readonly key: string; readonly times: number }
  /** writes `<prefix>left/<n>` and `<prefix>right/<n>` in one commit, for n = 0, 1, 2 … */
  | { readonly kind: 'pairs'; readonly config: StoreConfig; readonly prefix: string; readonly times: number }
  /** assigns two addresses to so many handles of a node, and releases every other one again */
  | { readonly kind: 'assign'; readonly config: StoreConfig; readonly node: string; readonly times: number }
  /** writes values until that fails, then reads how many are there */
  | { readonly kind: 'fill'; readonly config: StoreConfig };

export interface Report {
  readonly number: number;
  readonly revision: number;
}

/** Said by `fill`, and by any worker that fails. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

const task = JSON.parse(process.argv[2] ?? '') as Task; // written by `startWorker`
try {
  const store = await openStore(task.config);
  if (task.kind === 'count') await count(store, task.key, task.times);
  else if (task.kind === 'pairs') await writePairs(store, task.prefix, task.times);
  else if (task.kind === 'assign') await assign(store, task.node, task.times);
  else await fill(store);
  await store.close();
} catch (error) {
  if (!isCalicoError(error)) throw error;
  report({ code: error.code, message: error.message });
}
process.disconnect();

async function fill(filled: Store): Promise<void> {
  const value = 'x'.repeat(100_000);
  for (let number = 0; ; number++) {
    const key = `fill/${String(number)}`;
    try {
      await filled.commit({ writes: [{ kind: 'put', key, value }] });
    } catch (error) {
      if (!isCalicoError(error)) throw error;
      report({ code: error.code, message: error.message });
      const { entries, revision } = await filled.list('fill/');
      report({ number: entries.length - number, revision });
      return;
    }
  }
}

async function assign(store: Store, node: string, times: number): Promise<void> {
  const allocator = createAllocator({ store, clock: systemClock });
  await Promise.all(
    Array.from({ length: times }, async (_, i) => {
      const handle = `${node}.${String(i)}`;
      await allocator.assign({ node, handle, attributes: { node, type: 'test' }, count: { 4: 2, 6: 0 } });
      if (i % 2 === 1) await allocator.releaseByHandle(handle);
    }),
  );
}

async function count(counted: Store, key: string, times: number): Promise<void> {
  for (let number = 0; number < times;) {
    const entry = await counted.get(key);
    const result = await counted.commit({
      conditions: [{ key, modRevision: entry?.modRevision ?? 0 }],
      writes: [{ kind: 'put', key, value: String(Number(entry?.value ?? '0') + 1) }],
    });
    if (result.committed) report({ number: number++, revision: result.revision });
  }
}

async function writePairs(written: Store, prefix: string, times: number): Promise<void> {
  for (let number = 0; number < times; number++) {
    const value = `${String(number)} by ${String(process.pid)}`;
    const result = await written.commit({
      writes: [
        { kind: 'put', key: `${prefix}left/${String(number)}`, value },
        { kind: 'put', key: `${prefix}right/${String(number)}`, value },
      ],
    });
    if (result.committed) report({ number, revision: result.revision });
  }
}

function report(done: Report | Failure): void {
  process.send?.(done);
}
