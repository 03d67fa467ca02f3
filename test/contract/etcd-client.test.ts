import { afterAll, beforeAll } from 'vitest';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import { runClientContract } from './client.js';
import { startEtcd } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';

let server: EtcdServer;
beforeAll(async () => {
  server = await startEtcd();
});
afterAll(async () => {
  await server.dispose();
});

runClientContract({
  name: 'the client over etcd',
  create: async () => {
    const store = await openStore({ type: 'etcdv3', endpoints: [server.endpoint] });
    return {
      client: createResourceClient(store),
      dispose: async () => {
        await store.close();
        await server.empty();
      },
    };
  },
});
