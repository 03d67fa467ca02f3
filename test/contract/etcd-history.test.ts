import { afterAll, beforeAll } from 'vitest';
import { openStore } from '../../src/datastore/index.js';
import { runHistoryContract } from './history.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';

let server: EtcdServer;
beforeAll(async () => {
  server = await startEtcd();
});
afterAll(async () => {
  await server.dispose();
});

runHistoryContract({
  name: 'etcd',
  numRuns: 8,
  create: async () => {
    const store = await openStore({ type: 'etcdv3', endpoints: [server.endpoint] });
    return {
      store,
      dispose: async () => {
        await store.close();
        await server.empty();
      },
    };
  },
});
