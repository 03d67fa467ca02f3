import { CalicoError } from '../base/index.js';
import type { Commit } from './store.js';

/** Refuses a commit that names a key twice, or that no store could hold: UTF-8 would make other keys of them. */
export function checkCommit({ writes }: Commit): void {
  const keys = new Set<string>();
  for (const { key } of writes) {
    if (key === '' || !key.isWellFormed()) {
      throw new CalicoError('invalid', `datastore: ${JSON.stringify(key)} cannot be a key`);
    }
    if (keys.has(key)) throw new CalicoError('invalid', `datastore: key ${key} twice in one commit`);
    keys.add(key);
  }
}
