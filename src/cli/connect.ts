import { CalicoError, isCalicoError } from '../base/index.js';
import { createResourceClient, openStore } from '../datastore/index.js';
import type { Author } from '../datastore/index.js';
import type { Datastore } from './command.js';
import { connectionSettings } from './connection-settings.js';
import type { SettingsSource } from './connection-settings.js';

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

/** Opens the datastore that the settings name, to be changed in the name of `author`; its store is to be closed. */
export async function connect(source: SettingsSource, author: () => Author): Promise<Datastore> {
  const store = await openStore(await connectionSettings(source));
  return { store, client: createResourceClient(store, { author: asked(author) }) };
}

/** The failure to connect as the commands for resources word it (`calicoctl.md` 2.4); others say it bare. */
export function connectionFailure(error: unknown): unknown {
  if (!isCalicoError(error)) return error;
  return new CalicoError(error.code, `Failed to create Calico API client: ${error.message}`, {
    cause: error,
  });
}
