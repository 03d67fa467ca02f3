import { existsSync } from 'node:fs';
import { CalicoError, runProgram } from '../base/index.js';
import type { LabContext } from './context.js';
import { startDaemon } from './daemon.js';
import { endProcesses } from './end-processes.js';
import { ipBatch } from './namespaces.js';
import { processIn } from './processes.js';
import { labDirectory, probeProgram } from './paths.js';
import type { LabPlan } from './plan.js';
import { logTail, until } from './until.js';

/**
 * A late link. The kernel's own means (netem) is missing in many kernels, so frames take a way through a process,
 * which holds them back:
 *
 *   machine ── port ─ bridge `slow…` ─ TAP `late…a` ══ process ══ TAP `late…b` ─ the network's switch
 */
interface Detour {
  readonly bridge: string;
  readonly near: string;
  readonly far: string;
}

function detourOf(port: string): Detour {
  const number = port.replace(/^port/, '');
  return { bridge: `slow${number}`, near: `late${number}a`, far: `late${number}b` };
}

function switchOf(plan: LabPlan, port: string): string {
  const links = [...plan.hosts, ...plan.routers.flatMap(router => router.links)];
  const link = links.find(candidate => candidate.port === port);
  const network = plan.networks.find(({ name }) => name === link?.network);
  if (network === undefined) throw new Error(`the plan has no port ${port}`);
  return network.bridge;
}

export interface RelayRequest {
  readonly plan: LabPlan;
  readonly port: string;
  readonly delayMs: number;
}

/** Leads the port's frames through a process that delays them. `unsupported` where the kernel has no TAP. */
export async function startRelay(context: LabContext, { plan, port, delayMs }: RelayRequest): Promise<void> {
  if (!existsSync('/dev/net/tun')) {
    throw new CalicoError('unsupported', 'this kernel cannot delay a link: it has no /dev/net/tun');
  }
  const { netns } = plan.fabric;
  const { bridge, near, far } = detourOf(port);
  const { node, program } = probeProgram(context.paths);
  const log = `${labDirectory(context.paths, plan.name)}/${bridge}.log`;
  startDaemon({ netns, program: node, args: [program, 'delay', near, far, String(delayMs)], log });
  await until(context, {
    what: `the delay of ${port}`,
    limitMs: 10_000,
    attempt: async () => (await runProgram('ip', ['-n', netns, 'link', 'show', far])).exitCode === 0,
    trouble: () => logTail(log),
  });
  await ipBatch(netns, [
    `link add ${bridge} type bridge`,
    `link set ${bridge} up`,
    `link set ${near} master ${bridge} up`,
    `link set ${far} master ${switchOf(plan, port)} up`,
    `link set ${port} master ${bridge}`,
  ]);
}

/** Puts the port back on its switch; without a relay nothing changes. */
export async function stopRelay(context: LabContext, plan: LabPlan, port: string): Promise<void> {
  const { netns } = plan.fabric;
  const { bridge, near } = detourOf(port);
  const running = (): readonly number[] => {
    const pid = processIn(netns, near);
    return pid === undefined ? [] : [pid];
  };
  await endProcesses(running, 0, context.clock);
  const { exitCode } = await runProgram('ip', ['-n', netns, 'link', 'show', bridge]);
  if (exitCode !== 0) return;
  await ipBatch(netns, [`link set ${port} master ${switchOf(plan, port)}`, `link delete ${bridge}`]);
}
