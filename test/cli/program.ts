import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleExecutables } from '../support/bundle.js';

const root = new URL('../..', import.meta.url).pathname;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** argument for Node itself */
  readonly nodeArguments?: readonly string[];
}

/** calicoctl as a real process, with a datastore of its own. */
export interface Calicoctl {
  /** a directory of the test's own; the datastore is in its `state` */
  readonly directory: string;
  /** the built program */
  readonly program: string;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  remove(): void;
}

/** Builds calicoctl from the sources as they are, beside node_modules, so that its packages are found. */
export async function builtCalicoctl(): Promise<Calicoctl> {
  const directory = mkdtempSync(join(root, 'node_modules', '.calicoctl-test-'));
  await bundleExecutables(['calicoctl'], join(directory, 'dist'));
  const program = join(directory, 'dist', 'calicoctl.js');
  return {
    directory,
    program,
    run: async (args, { input = '', env = {}, nodeArguments = [] } = {}) =>
      await new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [...nodeArguments, program, ...args], {
          cwd: directory,
          // As `bin/calicoctl` does it: what V8 has compiled once need not be compiled again.
          env: {
            CALICO_STATE_DIR: join(directory, 'state'),
            NODE_COMPILE_CACHE: join(directory, 'cache'),
            ...env,
          },
          timeout: 110_000,
        });
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
        child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
        child.on('error', reject);
        child.on('close', code => {
          resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() });
        });
        // A program that does not read its input closes the pipe.
        child.stdin.on('error', () => undefined);
        child.stdin.end(input);
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
