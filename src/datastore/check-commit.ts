import { CalicoError } from '../base/index.js';
import type { Commit } from './store.js';

/** Refuses a commit that names a key twice, or that no store could hold: UTF-8 would make other keys of them. */
export function checkCommit({ writes }: Commit): void {
  const keys = new Set<string>();
  const prefixes: string[] = [];
  for (const write of writes) {
    const key = write.kind === 'delete-prefix' ? write.prefix : write.key;
    if (key === '' || !key.isWellFormed()) {
      throw new CalicoError('invalid', `datastore: ${JSON.stringify(key)} cannot be a key`);
    }
    if (write.kind === 'delete-prefix') prefixes.push(key);
    else if (keys.has(key)) throw twice(key);
    else keys.add(key);
    if (write.kind === 'put' && write.ttlSeconds !== undefined && !isTtl(write.ttlSeconds)) {
      throw new CalicoError('invalid', `datastore: ${key} cannot live ${String(write.ttlSeconds)} s`);
    }
  }
  for (const prefix of prefixes) {
    const covered = keys.values().find(key => key.startsWith(prefix));
    if (covered !== undefined) throw twice(covered);
  }
}

function isTtl(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= 1;
}

function twice(key: string): CalicoError {
  return new CalicoError('invalid', `datastore: key ${key} twice in one commit`);
}
