import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { askSocket, CalicoError, messageOf } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { netnsPath, processesIn } from './namespaces.js';
import { hostDirectories, hostEnvironment } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabHost, LabPlan } from './plan.js';

/** Pid of the host's agent: the process in its namespace that runs calico-node; undefined when none does. */
export function agentPid(host: LabHost): number | undefined {
  return processesIn([host.netns]).find(pid => {
    try {
      return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('calico-node');
    } catch {
      return false;
    }
  });
}

/** Starts calico-node in the host's namespace, as a process of its own that outlives this one. */
export function startAgent(paths: LabPaths, plan: LabPlan, host: LabHost): void {
  const directories = hostDirectories(paths, plan, host);
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = openSync(`${directories.log}/calico-node.log`, 'a', 0o600);
  try {
    const child = spawn('nsenter', [`--net=${netnsPath(host.netns)}`, `${paths.bin}/calico-node`], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...hostEnvironment(paths, plan, host) },
    });
    child.unref();
  } finally {
    closeSync(log);
  }
}

export function controlSocket(paths: LabPaths, plan: LabPlan, host: LabHost): string {
  return `${hostDirectories(paths, plan, host).run}/control.sock`;
}

const READY_LIMIT_MS = 30_000;

/** Waits until the agent says that its host is programmed; `unavailable` quotes the end of its log. */
export async function waitUntilReady(
  paths: LabPaths,
  plan: LabPlan,
  host: LabHost,
  clock: Clock,
): Promise<void> {
  const deadline = clock.monotonic() + READY_LIMIT_MS;
  const socket = controlSocket(paths, plan, host);
  let last = 'no answer';
  while (clock.monotonic() < deadline) {
    try {
      const answer = await askSocket(socket, '/ready');
      if (answer.status === 200) return;
      last = answer.body.trim();
    } catch (error) {
      last = messageOf(error);
    }
    await clock.sleep(20);
  }
  const logPath = `${hostDirectories(paths, plan, host).log}/calico-node.log`;
  const tail = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  throw new CalicoError(
    'unavailable',
    `the agent of ${host.name} is not ready: ${last}\nend of ${logPath}:\n${tail}`,
  );
}

/** Ends processes: asks first, and after `graceMs` no longer asks. Resolves when all are gone. */
export async function endProcesses(
  pids: () => readonly number[],
  graceMs: number,
  clock: Clock,
): Promise<void> {
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const pid of pids()) {
      try {
        process.kill(pid, signal);
      } catch {
        // ended meanwhile
      }
    }
  };
  signalAll('SIGTERM');
  const deadline = clock.monotonic() + graceMs;
  while (pids().length > 0) {
    if (clock.monotonic() > deadline) signalAll('SIGKILL');
    await clock.sleep(10);
  }
}
