import { runProgram } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';
import { agentPid, hostEnvironment, netnsPath } from '../../src/lab/index.js';
import type { LabHost, LabTopology } from '../../src/lab/index.js';
import { runLab } from './running-lab.js';
import { LATE_ANSWER_MS } from './netns.js';
import type { RunningLab } from './running-lab.js';

/** A lab with agents built from the sources as they are, for tests of the agent's life. */
export interface AgentLab extends RunningLab {
  /** Process id of the host's agent; 0 when none runs. */
  pid(host: LabHost): number;
  /** Runs a program in the namespace of a host or workload, whatever its exit code. */
  run(netns: string, program: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** `calico-node` with arguments, as the host's operator would call it. */
  calicoNode(host: LabHost, ...args: readonly string[]): Promise<ProgramResult>;
  /** Our table on the host, without counters; empty when there is none. */
  ruleset(host: LabHost): Promise<string>;
  /** Whether a new TCP connection from one namespace to an address in another is answered at once. */
  connects(from: string, to: string, address: string): Promise<boolean>;
  /** As connects, for what must be open now, on however slow a machine: silence counts only after a long time. */
  reaches(from: string, to: string, address: string): Promise<boolean>;
  /** Sets a parameter of the agents for all hosts. */
  felix(name: string, value: string | undefined): Promise<void>;
}

/** Builds the product and brings the lab up; what fails half-way is taken down again. */
export async function createAgentLab(kind: string, topology: LabTopology): Promise<AgentLab> {
  const lab = await runLab(`t${String(process.pid)}-${kind}`, topology);
  const { paths } = lab.installation;
  const run: AgentLab['run'] = async (netns, program, ...args) =>
    await runProgram('nsenter', [`--net=${netnsPath(netns)}`, program, ...args]);
  return {
    ...lab,
    pid: host => agentPid(host) ?? 0,
    run,
    calicoNode: async (host, ...args) =>
      await runProgram('nsenter', [`--net=${netnsPath(host.netns)}`, `${paths.bin}/calico-node`, ...args], {
        env: hostEnvironment(paths, lab.plan, host),
      }),
    ruleset: async host => (await run(host.netns, 'nft', '-s', 'list', 'table', 'inet', 'calico')).stdout,
    connects: async (from, to, address) =>
      await lab.answers({ fromNetns: from, toNetns: to, address, timeoutMs: 300 }),
    reaches: async (from, to, address) =>
      await lab.answers({ fromNetns: from, toNetns: to, address, timeoutMs: LATE_ANSWER_MS }),
    felix: async (name, value) => await lab.client.setSetting({ component: 'felix', name }, value),
  };
}
