import { askSocket, systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import type { ResourceClient, Store } from '../../src/datastore/index.js';
import {
  agentPid,
  connectInLab,
  controlSocket,
  labDown,
  labStore,
  labUp,
  planLab,
} from '../../src/lab/index.js';
import type { LabHost, LabPlan, LabTopology } from '../../src/lab/index.js';
import type { AgentStatus } from '../../src/node/index.js';
import { builtInstallation } from './installation.js';
import type { Installation } from './installation.js';
import { eventually } from './netns.js';

/** A connection that is tried, and how long to wait for an answer. */
export interface Attempt {
  readonly fromNetns: string;
  readonly toNetns: string;
  readonly address: string;
  readonly timeoutMs: number;
}

/** A lab with the product built from the sources as they are, brought up in this process. */
export interface RunningLab {
  readonly plan: LabPlan;
  readonly installation: Installation;
  readonly store: Store;
  readonly client: ResourceClient;
  /** What the agent of a host says of itself. */
  status(host: LabHost): Promise<AgentStatus>;
  /** What the agent of a host still complains of after it had time to get well. */
  complaints(host: LabHost): Promise<readonly string[]>;
  /** Sends a signal to the host's agent, which must run: a signal to process 0 would go to all of the tests. */
  kill(host: LabHost, signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Starts agents that do not run and attaches workloads that are not attached; waits until all is ready. */
  heal(): Promise<void>;
  /** Whether a new connection to TCP port 8080 is answered. */
  answers(attempt: Attempt): Promise<boolean>;
  /** Takes everything down; call it in afterAll. */
  remove(): Promise<void>;
}

/** Builds the product and brings the lab up; what fails half-way is taken down again. */
export async function runLab(name: string, topology: LabTopology): Promise<RunningLab> {
  const installation = await builtInstallation();
  const { paths } = installation;
  const plan = planLab(name, topology);
  const context = { paths, clock: systemClock, say: () => undefined };
  try {
    await labUp(context, plan);
  } catch (error) {
    installation.remove();
    throw error;
  }
  const store = await openStore(labStore(paths, plan));
  const status = async (host: LabHost): Promise<AgentStatus> => {
    const { body } = await askSocket(controlSocket(paths, plan, host), '/status');
    return JSON.parse(body) as AgentStatus; // what the agent of this tree writes
  };
  return {
    plan,
    installation,
    store,
    client: createResourceClient(store),
    status,
    complaints: async host => {
      let reasons: readonly string[] = [];
      const isWell = async (): Promise<boolean> => {
        ({ reasons } = await status(host));
        return reasons.length === 0;
      };
      await eventually('it is well', isWell).catch(() => undefined);
      return reasons;
    },
    kill: (host, signal) => {
      const pid = agentPid(host);
      if (pid === undefined) throw new Error(`no agent runs on ${host.name}`);
      process.kill(pid, signal);
    },
    heal: async () => await labUp(context, plan),
    answers: async attempt => {
      const probe = { node: process.execPath, program: installation.probe, service: 'tcp:8080' };
      return (await connectInLab({ ...probe, ...attempt })).outcome === 'answered';
    },
    remove: async () => {
      await store.close();
      await labDown(context, plan);
      installation.remove();
    },
  };
}
