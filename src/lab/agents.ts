import { mkdirSync } from 'node:fs';
import { askSocket, CalicoError } from '../base/index.js';
import type { LabContext } from './context.js';
import { startDaemon } from './daemon.js';
import { processIn } from './processes.js';
import { hostDirectories, hostEnvironment } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabHost, LabPlan } from './plan.js';
import { logTail, until } from './until.js';

/** Pid of the host's agent: the process in its namespace that runs calico-node; undefined when none does. */
export function agentPid(host: LabHost): number | undefined {
  return processIn(host.netns, 'calico-node');
}

/** Starts calico-node in the host's namespace, as a process of its own that outlives this one. */
export function startAgent(paths: LabPaths, plan: LabPlan, host: LabHost): void {
  const directories = hostDirectories(paths, plan, host);
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  startDaemon({
    netns: host.netns,
    program: `${paths.bin}/calico-node`,
    args: [],
    log: `${directories.log}/calico-node.log`,
    env: hostEnvironment(paths, plan, host),
  });
}

export function controlSocket(paths: LabPaths, plan: LabPlan, host: LabHost): string {
  return `${hostDirectories(paths, plan, host).run}/control.sock`;
}

const READY_LIMIT_MS = 60_000;

/** Waits until the agent says that its host is programmed; `unavailable` quotes the end of its log. */
export async function waitUntilReady(context: LabContext, plan: LabPlan, host: LabHost): Promise<void> {
  const socket = controlSocket(context.paths, plan, host);
  await until(context, {
    what: `the agent of ${host.name}`,
    limitMs: READY_LIMIT_MS,
    attempt: async () => {
      const answer = await askSocket(socket, '/ready');
      if (answer.status !== 200) throw new CalicoError('unavailable', answer.body.trim());
      return true;
    },
    trouble: () => logTail(`${hostDirectories(context.paths, plan, host).log}/calico-node.log`),
  });
}
