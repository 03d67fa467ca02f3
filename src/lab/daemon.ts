import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { netnsPath } from './namespaces.js';

/** Where programs are found that run in a lab, whatever the environment of the user. */
export const DAEMON_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** What is to run in a namespace of the lab, as a process of its own that outlives this one. */
export interface DaemonRequest {
  readonly netns: string;
  readonly program: string;
  readonly args: readonly string[];
  /** where its output goes */
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts it; whether it lives on is for the caller to find out. */
export function startDaemon({ netns, program, args, log, env, cwd = '/' }: DaemonRequest): void {
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn('nsenter', [`--net=${netnsPath(netns)}`, program, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH: DAEMON_PATH, ...env },
    });
    // A program that is missing is nsenter's to complain of, in the log.
    child.on('error', () => undefined);
    child.unref();
  } finally {
    closeSync(output);
  }
}
