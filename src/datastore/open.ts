import { CalicoError } from '../base/index.js';
import type { EtcdConfig } from './etcd/config.js';
import type { Store } from './store.js';

// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { existsSync } = process.getBuiltinModule('node:fs');

/** Which datastore, and where: `DATASTORE_TYPE` and its settings. */
export type StoreConfig =
  | {
      readonly type: 'sqlite';
      /** the store's own directory, made when it is missing */
      readonly directory: string;
      /** `normal` may lose the last commits in a power loss: for labs */
      readonly synchronous?: 'full' | 'normal';
      /** for a process that commits for days: what keeps the files small is done in another thread */
      readonly longLived?: boolean;
    }
  | EtcdConfig
  | { readonly type: 'kubernetes' };

/** Opens the configured datastore. What implements it is loaded only here, so that nobody pays for the others. */
export async function openStore(config: StoreConfig): Promise<Store> {
  if (config.type === 'sqlite') {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.js');
    return await openSqliteStore(config);
  }
  if (config.type === 'etcdv3') {
    const { openEtcdStore } = await import('./etcd/etcd-store.js');
    return await openEtcdStore(config);
  }
  throw new CalicoError(
    'unsupported',
    `datastore type ${config.type} is not supported yet; set DATASTORE_TYPE=sqlite or etcdv3`,
  );
}

/** False for an embedded store that opening would make anew. */
export async function storeExists(config: StoreConfig): Promise<boolean> {
  if (config.type !== 'sqlite') return true;
  const { storeFiles } = await import('./sqlite/files.js');
  return existsSync(storeFiles(config.directory).database);
}
