import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/datastore/sqlite/sqlite-store.js';
import { runStoreContract } from './store.js';

runStoreContract({
  name: 'sqlite',
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calico-store-'));
    // With all that an agent's store does beside its work.
    const config = { type: 'sqlite', directory: join(directory, 'store'), longLived: true } as const;
    return {
      config,
      open: async () => await openSqliteStore(config),
      forgetHistory: async () => {
        const store = await openSqliteStore({ ...config, keepRevisions: 1 });
        for (let number = 0; number < 201; number++) {
          await store.commit({ writes: [{ kind: 'put', key: 'filler/', value: '' }] });
        }
        await store.close();
      },
      dispose: async () => await rm(directory, { recursive: true }),
    };
  },
});
