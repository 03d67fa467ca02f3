import { CalicoError, isCalicoError } from '../base/index.js';
import type { Store } from '../datastore/index.js';
import { settingNames } from './settings.js';

/** `ETCD_ENDPOINTS` → `etcdEndpoints`; what is no setting stays. */
function fieldOf(variable: string): string {
  const found = Object.entries(settingNames).find(([, names]) => names.some(name => name === variable));
  return found?.[0] ?? variable;
}

/**
 * A failure whose message names variables to check, for who has settings in a file: it names the fields, and the
 * file, because with a file no variable counts.
 */
export function inWordsOfFile(error: unknown, file: string): unknown {
  if (!isCalicoError(error)) return error;
  const message = error.message.replaceAll(/\bETCD_[A-Z_]+\b/g, fieldOf);
  if (message === error.message) return error;
  return new CalicoError(error.code, `${message} (${file})`, { cause: error, issues: error.issues });
}

/** The store, its failures in the words of the configuration file that named it. */
export function storeOfFile(store: Store, file: string): Store {
  const worded = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw inWordsOfFile(error, file);
    }
  };
  return {
    get: async key => await worded(store.get(key)),
    list: async (prefix, options) => await worded(store.list(prefix, options)),
    commit: async commit => await worded(store.commit(commit)),
    flush: async () => await worded(store.flush()),
    watch: async function* (prefix, options) {
      try {
        yield* store.watch(prefix, options);
      } catch (error) {
        throw inWordsOfFile(error, file);
      }
    },
    close: async () => await store.close(),
  };
}
