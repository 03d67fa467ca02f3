import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CalicoError, runProgram } from '../base/index.js';
import type { IpVersion } from '../net/index.js';

/** Where one GoBGP has its files; the directories exist. */
export interface GobgpFiles {
  /** JSON */
  readonly config: string;
  /** of its control interface: only who may write here may use it */
  readonly socket: string;
  readonly pid: string;
  readonly log: string;
}

/** Nothing of the agent's environment reaches the daemon. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

/** How to start the daemon. */
export interface GobgpLaunch {
  readonly files: GobgpFiles;
  /** words before the program */
  readonly prefix: readonly string[];
  /** the kernel still holds routes of the daemon before: neighbours are told that it is the same */
  readonly recover: boolean;
}

/** Starts the daemon in a session of its own, so that it survives the agent. */
export async function launchGobgp({ files, prefix, recover }: GobgpLaunch): Promise<void> {
  const program = 'gobgpd';
  const api = ['--api-hosts', `unix://${files.socket}`, '--pprof-disable'];
  const args = ['-f', files.config, '-t', 'json', ...(recover ? ['-r'] : []), '-l', 'info', ...api];
  const [command = program, ...rest] = [...prefix, program, ...args];
  // A daemon that was killed leaves its socket, and none starts on one that is there.
  rmSync(files.socket, { force: true });
  const log = openSync(files.log, 'a', 0o600);
  try {
    const child = spawn(command, rest, {
      cwd: '/',
      detached: true,
      env: ENVIRONMENT,
      stdio: ['ignore', log, log],
    });
    child.unref();
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid ?? 0));
      child.on('error', error =>
        reject(new CalicoError('unavailable', `${command}: ${error.message}`, { cause: error })),
      );
    });
    writeFileSync(files.pid, `${String(pid)}\n`, { mode: 0o600 });
  } finally {
    closeSync(log);
  }
}

/** The process id of the daemon that has these files, checked against its command line; undefined: none runs. */
export function runningGobgp(files: GobgpFiles): number | undefined {
  try {
    const pid = Number(readFileSync(files.pid, 'utf8').trim());
    if (!Number.isSafeInteger(pid) || pid < 2) return undefined;
    const args = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
    return args.includes(`unix://${files.socket}`) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** One command of `gobgp`; what it printed. Fails with `unavailable` and its own words. */
export async function askGobgp(files: GobgpFiles, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(
    'gobgp',
    ['--target', `unix://${files.socket}`, ...args],
    { timeoutMs: 10_000 },
  );
  if (exitCode === 0) return stdout;
  throw new CalicoError('unavailable', `gobgp ${args.join(' ')}: ${(stderr || stdout).trim()}`);
}

/** Calls back when something in the table of that version changed, and when the daemon has ended. */
export function monitorGobgp(
  files: GobgpFiles,
  version: IpVersion,
  on: { readonly change: () => void; readonly end: () => void },
): { close(): void } {
  const family = `ipv${String(version)}`;
  const target = ['--target', `unix://${files.socket}`];
  const child = spawn('gobgp', [...target, 'monitor', 'global', 'rib', '-j', '-a', family], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let closed = false;
  const ended = (): void => {
    if (!closed) on.end();
    closed = true;
  };
  child.stdout.on('data', on.change);
  child.on('error', ended);
  child.on('close', ended);
  return {
    close: () => {
      closed = true;
      child.kill('SIGTERM');
    },
  };
}
