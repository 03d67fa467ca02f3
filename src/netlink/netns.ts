import { closeSync, openSync, statfsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CalicoError, messageOf } from '../base/index.js';
import { kernelError } from './kernel-error.js';
import type { Libc } from './libc.js';

/** Magic number of the file system that namespaces live in: see statfs(2). */
const NSFS_MAGIC = 0x6e736673;

/**
 * Makes Node start its pool of threads. They keep for ever the namespace in which they were born, so this
 * must be done before the first `withNetns`; otherwise the first file operation in the window would put the
 * whole pool into the other namespace.
 */
export async function warmThreadPool(): Promise<void> {
  await stat('/');
}

/** True when there is a namespace at that path (a bind mount below /run/netns, or /proc/PID/ns/net). */
export function netnsExists(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

/** Opens a network namespace; the descriptor keeps it alive, and the caller closes it. */
export function openNetns(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new CalicoError('not-found', `open network namespace ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Runs `use` with this thread in the network namespace of `fd`: sockets that it opens stay there for good, and
 * /proc/sys/net is that of the namespace. `use` must be done when it returns: everything else that runs on
 * this thread would be in the wrong place. A process that cannot return to its namespace is ended, because
 * anything it did from there on would hit the wrong network.
 */
export function withNetns<T>(libc: Libc, fd: number, use: () => T): T {
  // Not /proc/self, which is the namespace of the main thread.
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const entered = libc.enterNetns(fd);
    if (entered < 0) throw kernelError('enter network namespace', { result: entered });
    let value: T;
    try {
      value = use();
    } finally {
      if (libc.enterNetns(home) < 0) process.abort();
    }
    if (value instanceof Promise) {
      value.catch(() => undefined);
      throw new TypeError('withNetns: what runs in another namespace must not be asynchronous');
    }
    return value;
  } finally {
    closeSync(home);
  }
}
