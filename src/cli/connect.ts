import { CalicoError, isCalicoError } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { ResourceClient } from '../datastore/index.js';
import { connectionSettings } from './connection-settings.js';
import type { SettingsSource } from './connection-settings.js';

export interface Connection {
  readonly client: ResourceClient;
  readonly close: () => Promise<void>;
}

/** Opens the datastore that the settings name; failures carry the words of `calicoctl.md` 2.4. */
export async function connect(source: SettingsSource): Promise<Connection> {
  try {
    const store = await openStore(await connectionSettings(source));
    return { client: createResourceClient(store), close: async () => await store.close() };
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    throw new CalicoError(error.code, `Failed to create Calico API client: ${error.message}`, {
      cause: error,
    });
  }
}
