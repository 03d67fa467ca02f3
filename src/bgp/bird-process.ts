import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CalicoError } from '../base/index.js';

/** Where one BIRD has its files; the directories exist. */
export interface BirdFiles {
  /** the configuration that the daemon reads */
  readonly config: string;
  /** the control socket */
  readonly socket: string;
  readonly pid: string;
  readonly log: string;
}

/** How to start BIRD. */
export interface LaunchOptions {
  readonly files: BirdFiles;
  readonly program: string;
  /** words before the program: `ip netns exec <name>` in tests and the lab */
  readonly prefix: readonly string[];
  /** graceful-restart recovery: the kernel still holds routes of the daemon before */
  readonly recover: boolean;
}

/** A BIRD that was just started; it outlives this process. */
export interface LaunchedBird {
  readonly pid: number;
  /** how it ended, when it has */
  ended(): string | undefined;
}

/** Nothing of the agent's environment reaches the daemon. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

/** Starts BIRD in a session of its own, so that it survives the agent. */
export async function launchBird({ files, program, prefix, recover }: LaunchOptions): Promise<LaunchedBird> {
  const args = [...(recover ? ['-R'] : []), '-f', '-c', files.config, '-s', files.socket, '-P', files.pid];
  const [command = program, ...rest] = [...prefix, program, ...args];
  const log = openSync(files.log, 'a', 0o600);
  try {
    const child = spawn(command, rest, {
      cwd: '/',
      detached: true,
      env: ENVIRONMENT,
      stdio: ['ignore', log, log],
    });
    let end: string | undefined;
    child.on('exit', (code, signal) => {
      end = signal === null ? `exit ${String(code)}` : `killed by ${signal}`;
    });
    child.unref();
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid ?? 0));
      child.on('error', error =>
        reject(new CalicoError('unavailable', `${command}: ${error.message}`, { cause: error })),
      );
    });
    return { pid, ended: () => end };
  } finally {
    closeSync(log);
  }
}

/**
 * The process id of the BIRD that has these files, read from its pid file and checked against its command
 * line, because an old file may name a process that has nothing to do with us.
 */
export function runningPid(files: BirdFiles): number | undefined {
  try {
    const pid = Number(readFileSync(files.pid, 'utf8').trim());
    if (!Number.isSafeInteger(pid) || pid < 2) return undefined;
    const args = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
    return args.includes(files.socket) ? pid : undefined;
  } catch {
    return undefined;
  }
}
