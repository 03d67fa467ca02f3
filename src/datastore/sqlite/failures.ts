import { CalicoError, messageOf } from '../../base/index.js';
import type { ErrorCode } from '../../base/index.js';
import type { StoreFiles } from './files.js';

// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { accessSync, constants } = process.getBuiltinModule('node:fs');

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that mean something to an operator. */
const result = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notDatabase: 26,
} as const;

/** The extended code for "no room for the shared memory file". */
const sharedMemorySize = 4874;

/** Somebody removed or replaced the files under an open connection: it must be closed and opened again. */
export class FilesReplaced extends Error {}

/** True when another process holds the lock and trying again helps. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === result.busy || code === result.locked || code === result.protocol;
}

/** True when the connection is still good after this failure; otherwise it has to be opened again. */
export function keepsConnection(error: unknown): boolean {
  return isBusy(error) || primaryCode(error) === result.full;
}

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined;
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** What went wrong with the store's files, in words that say which file, what happened, and what to check. */
export function storeFailure(error: unknown, files: StoreFiles): unknown {
  if (error instanceof CalicoError) return error;
  const found = extendedCode(error) === undefined ? fileWords(error) : sqliteWords(error, files);
  if (found === undefined) return error;
  return new CalicoError(found.code, `datastore ${files.database}: ${found.text}`, { cause: error });
}

interface Words {
  readonly code: ErrorCode;
  readonly text: string;
}

const words = {
  denied: {
    code: 'unauthorized',
    text: 'permission denied; run as its owner (root), or check DATASTORE_TYPE and CALICO_STATE_DIR',
  },
  readOnly: {
    code: 'unavailable',
    text: 'the file or its file system is read-only; mount it writable, or check CALICO_STATE_DIR',
  },
  full: {
    code: 'exhausted',
    text: 'the disk is full; nothing was written; free space, or move CALICO_STATE_DIR to a larger disk',
  },
  gone: {
    code: 'unavailable',
    text: 'the file is gone; restore it from a backup, or check CALICO_STATE_DIR',
  },
  replaced: {
    code: 'unavailable',
    text: 'the file is replaced again and again; find who does it, or check CALICO_STATE_DIR',
  },
  notDatabase: {
    code: 'corrupt',
    text: 'is not a database; move the file away or restore it, or check CALICO_STATE_DIR',
  },
  damaged: { code: 'corrupt', text: 'the database is damaged; restore it from a backup' },
} as const satisfies Record<string, Words>;

function sqliteWords(error: unknown, files: StoreFiles): Words {
  const code = primaryCode(error);
  if (extendedCode(error) === sharedMemorySize || code === result.full) return words.full;
  if (code === result.readOnly) return words.readOnly;
  if (code === result.notDatabase) return words.notDatabase;
  if (code === result.corrupt) return words.damaged;
  if (code === result.cannotOpen) {
    return accessWords(files) ?? { code: 'unavailable', text: 'cannot be opened; check CALICO_STATE_DIR' };
  }
  if (isBusy(error)) {
    return { code: 'unavailable', text: 'locked by another process for too long; find it with fuser' };
  }
  return { code: 'unavailable', text: `${messageOf(error)}; check the disk and CALICO_STATE_DIR` };
}

/** SQLite says "cannot open" and no more; the system says why. */
function accessWords(files: StoreFiles): Words | undefined {
  try {
    accessSync(files.directory, constants.R_OK | constants.W_OK | constants.X_OK);
    accessSync(files.database, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return fileWords(error);
  }
}

function fileWords(error: unknown): Words | undefined {
  if (error instanceof FilesReplaced) return words.replaced;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return words.denied;
    case 'EROFS':
      return words.readOnly;
    case 'ENOSPC':
    case 'EDQUOT':
      return words.full;
    case 'ENOENT':
      return words.gone;
    default:
      return { code: 'unavailable', text: `${messageOf(error)}; check CALICO_STATE_DIR` };
  }
}
