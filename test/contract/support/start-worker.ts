import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Failure, Report, Task } from './worker.js';

/** A program made of `worker.ts`, to be run in processes of its own. */
export interface WorkerProgram {
  /** `wrap` runs it by another program, which gets the command line added to its own. */
  start(task: Task, wrap?: readonly [string, ...string[]]): Worker;
  /** Ends the workers that still run, and removes the program. */
  dispose(): Promise<void>;
}

export interface Worker {
  /** what it has committed so far */
  readonly reports: readonly Report[];
  readonly failures: readonly Failure[];
  /** Resolves with its exit code, undefined when it was killed. */
  readonly ended: Promise<number | undefined>;
  /** Resolves when it has reported so many commits, or has ended. */
  reported(count: number): Promise<void>;
  kill(): void;
}

/** Bundles the worker, so that a plain node can run it. */
export async function buildWorkerProgram(): Promise<WorkerProgram> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-worker-'));
  const file = join(directory, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
  });
  const workers: Worker[] = [];
  return {
    start: (task, wrap) => {
      const [program, ...args] = [...(wrap ?? []), process.execPath, file, JSON.stringify(task)];
      const worker = startWorker(
        spawn(program ?? '', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      );
      workers.push(worker);
      return worker;
    },
    dispose: async () => {
      for (const worker of workers) worker.kill();
      await Promise.all(workers.map(async worker => await worker.ended));
      await rm(directory, { recursive: true });
    },
  };
}

function startWorker(child: ChildProcess): Worker {
  const reports: Report[] = [];
  const ended = once(child, 'exit').then(([code]: unknown[]) =>
    typeof code === 'number' ? code : undefined,
  );
  const failures: Failure[] = [];
  child.on('message', message => {
    const said = message as Report | Failure; // the worker sends nothing else
    if ('code' in said) failures.push(said);
    else reports.push(said);
  });
  return {
    reports,
    failures,
    ended,
    reported: async count => {
      while (reports.length < count && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child, 'message'), ended]);
      }
    },
    kill: () => child.kill('SIGKILL'),
  };
}
