import { askSocket, runProgram, systemClock } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import {
  agentPid,
  connectInLab,
  controlSocket,
  hostEnvironment,
  labDown,
  labStore,
  labUp,
  netnsPath,
  planLab,
} from '../../src/lab/index.js';
import type { LabHost, LabPlan, LabTopology } from '../../src/lab/index.js';
import type { AgentStatus } from '../../src/node/index.js';
import { builtInstallation } from './installation.js';
import type { Installation } from './installation.js';

/** A lab with agents built from the sources as they are, for tests of the agent's life. */
export interface AgentLab {
  readonly plan: LabPlan;
  readonly installation: Installation;
  readonly store: Store;
  readonly client: ResourceClient;
  /** Starts agents that do not run and attaches workloads that are not attached; waits until all is ready. */
  heal(): Promise<void>;
  /** Process id of the host's agent; 0 when none runs. */
  pid(host: LabHost): number;
  status(host: LabHost): Promise<AgentStatus>;
  /** Runs a program in the namespace of a host or workload, whatever its exit code. */
  run(netns: string, program: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** `calico-node` with arguments, as the host's operator would call it. */
  calicoNode(host: LabHost, ...args: readonly string[]): Promise<ProgramResult>;
  /** Our table on the host, without counters; empty when there is none. */
  ruleset(host: LabHost): Promise<string>;
  /** Whether a new TCP connection from one namespace to an address in another is answered. */
  connects(from: string, to: string, address: string): Promise<boolean>;
  /** Sets a parameter of the agents for all hosts. */
  felix(name: string, value: string | undefined): Promise<void>;
  /** Takes everything down; call it in afterAll. */
  remove(): Promise<void>;
}

/** Builds the product and brings the lab up; what fails half-way is taken down again. */
export async function createAgentLab(kind: string, topology: LabTopology): Promise<AgentLab> {
  const installation = await builtInstallation();
  const { paths } = installation;
  const plan = planLab(`t${String(process.pid)}-${kind}`, topology);
  const context = { paths, clock: systemClock, say: () => undefined };
  const run: AgentLab['run'] = async (netns, program, ...args) =>
    await runProgram('nsenter', [`--net=${netnsPath(netns)}`, program, ...args]);
  try {
    await labUp(context, plan);
  } catch (error) {
    installation.remove();
    throw error;
  }
  const store = await openStore(labStore(paths, plan));
  const client = createResourceClient(store);
  return {
    plan,
    installation,
    store,
    client,
    heal: async () => await labUp(context, plan),
    pid: host => agentPid(host) ?? 0,
    status: async host => {
      const answer = await askSocket(controlSocket(paths, plan, host), '/status');
      return JSON.parse(answer.body) as AgentStatus; // the agent's own words
    },
    run,
    calicoNode: async (host, ...args) =>
      await runProgram('nsenter', [`--net=${netnsPath(host.netns)}`, `${paths.bin}/calico-node`, ...args], {
        env: hostEnvironment(paths, plan, host),
      }),
    ruleset: async host => (await run(host.netns, 'nft', '-s', 'list', 'table', 'inet', 'calico')).stdout,
    connects: async (from, to, address) => {
      const { outcome } = await connectInLab({
        node: process.execPath,
        program: installation.probe,
        fromNetns: from,
        toNetns: to,
        address,
        service: 'tcp:8080',
        timeoutMs: 300,
      });
      return outcome === 'answered';
    },
    felix: async (name, value) => await client.setSetting({ component: 'felix', name }, value),
    remove: async () => {
      await store.close();
      await labDown(context, plan);
      installation.remove();
    },
  };
}
