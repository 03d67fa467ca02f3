import { join } from 'node:path';
import { CalicoError } from '../../base/index.js';

// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { closeSync, mkdirSync, openSync, statSync, statfsSync } = process.getBuiltinModule('node:fs');

/** Where the parts of one store lie; a store has a directory of its own. */
export interface StoreFiles {
  readonly directory: string;
  readonly database: string;
  /** the write-ahead log of SQLite; there while somebody has the database open */
  readonly log: string;
  /** touched after each commit; alone in its directory, so that a watch on the directory sees nothing else */
  readonly bell: string;
  readonly bellDirectory: string;
}

export function storeFiles(directory: string): StoreFiles {
  const bellDirectory = join(directory, 'bell');
  return {
    directory,
    database: join(directory, 'store.db'),
    log: join(directory, 'store.db-wal'),
    bell: join(bellDirectory, 'bell'),
    bellDirectory,
  };
}

/** The write-ahead log needs memory that all users of the file share: it cannot work over a network. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
]);

/** Makes what is missing of a store's files, readable for their owner only. */
export function createStoreFiles(files: StoreFiles): void {
  mkdirSync(files.directory, { recursive: true, mode: 0o700 });
  const kind = networkFileSystems.get(statfsSync(files.directory).type);
  if (kind !== undefined) {
    throw new CalicoError(
      'unsupported',
      `datastore ${files.directory}: lies on ${kind}, where several processes cannot share it; ` +
        'set CALICO_STATE_DIR to a directory on a local disk',
    );
  }
  createFile(files.database);
  createBell(files);
}

export function createBell(files: StoreFiles): void {
  mkdirSync(files.bellDirectory, { recursive: true, mode: 0o700 });
  createFile(files.bell);
}

/**
 * An existing file is never opened here: closing a second descriptor of the database would drop the POSIX
 * locks that SQLite holds on it in this process.
 */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/**
 * Which files the paths name now. As long as a connection holds its files open, their inodes cannot be given
 * to others, so a different text means that somebody removed or replaced a file.
 */
export function identityOf(files: StoreFiles): string {
  return `${inodeOf(files.database)} ${inodeOf(files.log)} ${inodeOf(`${files.database}-shm`)}`;
}

/** Device and inode of what `path` names; `gone` when it names nothing. */
export function inodeOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'gone' : `${String(stat.dev)}:${String(stat.ino)}`;
}
