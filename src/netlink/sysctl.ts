import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { CalicoError, messageOf } from '../base/index.js';
import type { ErrorCode } from '../base/index.js';

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  EACCES: 'unauthorized',
  EPERM: 'unauthorized',
  EROFS: 'unauthorized',
  EINVAL: 'invalid',
};

/** The file of a setting: each part becomes one name below /proc/sys/net, whatever dots it has in it. */
export function sysctlFile(path: readonly string[]): string {
  const wrong = path.find(part => !/^[^/\0]+$/.test(part) || part === '.' || part === '..');
  if (wrong !== undefined || path.length === 0) {
    throw new CalicoError('invalid', `"${wrong ?? ''}" is not part of a name below /proc/sys/net`);
  }
  return `/proc/sys/net/${path.join('/')}`;
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Writes in the namespace the thread is in. */
export function writeSysctlFile(path: readonly string[], value: string): void {
  const file = sysctlFile(path);
  try {
    writeFileSync(file, value);
  } catch (error) {
    throw new CalicoError(
      codes[errnoOf(error)] ?? 'unavailable',
      `set net.${path.join('.')} to ${value}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Reads in the namespace the thread is in; undefined when there is no such setting. */
export function readSysctlFile(path: readonly string[]): string | undefined {
  const file = sysctlFile(path);
  let fd: number | undefined;
  try {
    // A setting is read whole at once: half the system calls of readFileSync, for hundreds of interfaces.
    fd = openSync(file, 'r');
    const bytes = Buffer.allocUnsafe(4096);
    return bytes.toString('utf8', 0, readSync(fd, bytes)).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new CalicoError('unavailable', `read net.${path.join('.')}: ${messageOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
