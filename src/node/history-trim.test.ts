import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../base/index.js';
import { createHistory, createResourceClient, openStore } from '../datastore/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import { startHistoryTrim } from './history-trim.js';

const author = { command: 'calico-node', user: '', host: 'n' };
const setting = { component: 'felix', name: 'HistoryRevisions' } as const;

describe('the history that an agent writes', () => {
  let directory: string;
  let store: Store;
  let asked: number;
  let client: ResourceClient;
  let trimDue: () => void;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-trim-'));
    store = await openStore({ type: 'sqlite', directory, synchronous: 'normal' });
    asked = 0;
    trimDue = (): void => {
      asked++;
    };
    client = createResourceClient(store, { author, trimDue: () => trimDue() });
    await client.setSetting(setting, '3');
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const writeMany = async (): Promise<void> => {
    for (let n = 0; n < 260; n++)
      await client.setSetting({ component: 'felix', name: 'LogPrefix' }, String(n));
  };
  const kept = async (): Promise<number> => (await createHistory(store, { author }).revisions()).length;

  test('is not trimmed by a write, which only says that it is due', async () => {
    await writeMany();
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(3);
    expect(await kept()).toBe(261);
  });

  test('is trimmed when it is due, again and again, until the agent stops', async () => {
    const pauses: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        pauses.push(ms);
        return Promise.resolve();
      },
    };
    const trim = await startHistoryTrim({ store, clock }, error => {
      throw error;
    });
    trimDue = trim.due;
    for (let round = 0; round < 2; round++) {
      await writeMany();
      trim.due();
      await vi.waitFor(async () => expect(await kept()).toBe(3), 10_000);
    }
    await trim.stop();
    trim.due();
    expect(new Set(pauses)).toEqual(new Set([1000]));
  });
});
