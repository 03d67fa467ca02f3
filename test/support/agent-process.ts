import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askSocket } from '../../src/base/index.js';
import { eventually } from './netns.js';

/** A real calico-node, built, in a process and a network namespace of its own; without BGP, over sqlite. */
export interface AgentProcess {
  readonly pid: number;
  /** Ends it and waits until it is gone. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface AgentPlace {
  /** what starts calico-node */
  readonly program: readonly [string, ...string[]];
  /** path of the host's namespace */
  readonly netns: string;
  readonly nodeName: string;
  /** state, logs and store are below it */
  readonly directory: string;
  /** for sockets; default `run` in the directory */
  readonly runDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Where the sockets of a place are. */
function runDirOf({ runDir, directory }: AgentPlace): string {
  return runDir ?? join(directory, 'run');
}

/** The environment that finds the agent of a place: for launchers, and for the agent itself. */
export function agentEnvironment(place: AgentPlace): Readonly<Record<string, string>> {
  const { directory } = place;
  return {
    CALICO_STATE_DIR: join(directory, 'state'),
    CALICO_RUN_DIR: runDirOf(place),
    CALICO_LOG_DIR: join(directory, 'log'),
    CALICO_STORE_DIR: join(directory, 'store'),
    DATASTORE_TYPE: 'sqlite',
  };
}

/** Starts an agent and waits until it is ready. */
export async function startAgentProcess(place: AgentPlace): Promise<AgentProcess> {
  await mkdir(place.directory, { recursive: true });
  const child = spawn('nsenter', [`--net=${place.netns}`, ...place.program], {
    cwd: place.directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      NODENAME: place.nodeName,
      CALICO_NETWORKING_BACKEND: 'none',
      NO_DEFAULT_POOLS: 'true',
      CALICO_LOG_LEVEL: 'error',
      ...agentEnvironment(place),
      ...place.env,
    },
  });
  const exited = new Promise<void>(resolve => {
    child.on('exit', () => {
      resolve();
    });
  });
  const socket = join(runDirOf(place), 'control.sock');
  const isReady = async (): Promise<boolean> =>
    (await askSocket(socket, '/ready').catch(() => undefined))?.status === 200;
  const end: AgentProcess['end'] = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await exited;
  };
  try {
    await eventually('the agent is ready', isReady);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return { pid: child.pid ?? 0, end };
}
