import { CalicoError, isCalicoError } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { Author, Store } from '../datastore/index.js';
import type { Datastore } from './command.js';
import { readSettings, storeConfig } from './connection-settings.js';
import type { ReadSettings, SettingsSource } from './connection-settings.js';

/** The author, found out when something is written: who only reads does not wait for it. */
function asked(find: () => Author): Author {
  return {
    get command() {
      return find().command;
    },
    get user() {
      return find().user;
    },
    get host() {
      return find().host;
    },
  };
}

async function open(settings: ReadSettings, { env, configFile }: SettingsSource): Promise<Store> {
  if (!settings.fromFile) return await openStore(storeConfig(settings, env));
  const { inWordsOfFile, storeOfFile } = await import('./store-of-file.js');
  try {
    return storeOfFile(await openStore(storeConfig(settings, env)), configFile);
  } catch (error) {
    throw inWordsOfFile(error, configFile);
  }
}

/** Opens the datastore that the settings name, to be changed in the name of `author`; its store is to be closed. */
export async function connect(source: SettingsSource, author: () => Author): Promise<Datastore> {
  const settings = await readSettings(source);
  const store = await open(settings, source);
  return { store, client: createResourceClient(store, { author: asked(author) }) };
}

/** The failure to connect as the commands for resources word it (`calicoctl.md` 2.4); others say it bare. */
export function connectionFailure(error: unknown): unknown {
  if (!isCalicoError(error)) return error;
  return new CalicoError(error.code, `Failed to create Calico API client: ${error.message}`, {
    cause: error,
  });
}
