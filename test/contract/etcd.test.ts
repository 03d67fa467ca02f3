import { afterAll, beforeAll } from 'vitest';
import { openStore } from '../../src/datastore/index.js';
import { runStoreContract } from './store.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';

let server: EtcdServer;
beforeAll(async () => {
  server = await startEtcd();
});
afterAll(async () => {
  await server.dispose();
});

runStoreContract({
  name: 'etcd',
  create: async () => {
    const config = { type: 'etcdv3', endpoints: [server.endpoint] } as const;
    return {
      config,
      open: async () => await openStore(config),
      forgetHistory: async () => {
        const store = await openStore(config);
        const result = await store.commit({ writes: [{ kind: 'put', key: 'filler/', value: '' }] });
        await store.close();
        if (!result.committed) throw new Error('not committed');
        await server.ask('kv/compaction', { revision: String(result.revision), physical: true });
      },
      dispose: async () => await server.empty(),
    };
  },
});
