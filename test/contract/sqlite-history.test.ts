import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/datastore/index.js';
import { runHistoryContract } from './history.js';

runHistoryContract({
  name: 'sqlite',
  numRuns: 30,
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calico-history-'));
    const store = await openStore({ type: 'sqlite', directory });
    return {
      store,
      dispose: async () => {
        await store.close();
        await rm(directory, { recursive: true });
      },
    };
  },
});
