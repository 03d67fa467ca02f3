import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { CalicoError } from '../base/index.js';
import type { LabContext } from './context.js';
import { labDirectory } from './paths.js';
import { throwIfInterrupted } from './until.js';

const LIMIT_MS = 60_000;
const PAUSE_MS = 100;

/** An abstract socket of that name, which the kernel frees with the process; undefined when somebody has it. */
async function take(name: string): Promise<Server | undefined> {
  const server = createServer(socket => socket.destroy());
  return await new Promise((resolve, reject) => {
    server.once('error', error => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0${name}`, () => resolve(server));
  });
}

/**
 * Does the work while no other process changes the same lab; waits for its turn, and gives up with `conflict`
 * after a minute.
 */
export async function exclusively<T>(context: LabContext, lab: string, work: () => Promise<T>): Promise<T> {
  const { clock, paths, signal } = context;
  const deadline = clock.monotonic() + LIMIT_MS;
  // The kernel takes 107 bytes; what is cut off is the start of a long path.
  const name = `calico-lab ${labDirectory(paths, lab)}`.slice(-100);
  for (;;) {
    throwIfInterrupted(signal);
    const held = await take(name);
    if (held !== undefined) {
      try {
        return await work();
      } finally {
        held.close();
      }
    }
    if (clock.monotonic() > deadline) {
      throw new CalicoError('conflict', `another command has been changing lab '${lab}' for a minute`);
    }
    await clock.sleep(PAUSE_MS);
  }
}
