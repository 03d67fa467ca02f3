import type { Store } from './store.js';

/**
 * The store for one who commits several times before he answers somebody: its commits are not `durable`, so he
 * has to `flush` before he answers. It is the same store, and is closed as that one.
 */
export function deferred(store: Store): Store {
  return {
    get: async key => await store.get(key),
    list: async (prefix, options) => await store.list(prefix, options),
    commit: async commit => await store.commit({ ...commit, durable: false }),
    flush: async () => await store.flush(),
    watch: (prefix, options) => store.watch(prefix, options),
    close: async () => await store.close(),
  };
}
