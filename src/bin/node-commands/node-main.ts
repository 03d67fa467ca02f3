import { hostname } from 'node:os';
import { buildInfo, messageOf, silentLogger, systemClock } from '../../base/index.js';
import {
  cleanUp,
  closeHost,
  createLogger,
  localValues,
  readAgentConfig,
  readLocalSettings,
  startAgent,
} from '../../node/index.js';
import { showStatus } from './show-status.js';
import type { Streams } from './show-status.js';
import type { AgentConfig, Environment, LocalSettings } from '../../node/index.js';
import { loginUser } from '../caller/index.js';

/** Whoever wants the agent to end does not wait longer; what it holds, the kernel takes back. */
const STOP_LIMIT_MS = 900;

const usage = `Usage:
  calico-node            run the agent of this host in the foreground
  calico-node status     tell how the running agent and its endpoints are
  calico-node close      close interfaces of workloads until an agent runs: at boot
  calico-node cleanup    remove from this host's kernel what the agent put there
  calico-node --help     show this text
  calico-node --version  show the version

The agent takes no options: docs/felix-configuration.md tells the variables and
the file that it reads. SIGTERM ends it and leaves the kernel as it is, so that
traffic goes on; cleanup wants it ended.
`;

async function readConfiguration(env: Environment): Promise<{ config: AgentConfig; local: LocalSettings }> {
  const { etcDir } = readAgentConfig(env, hostname());
  const local = await readLocalSettings(env, `${etcDir}/felix.cfg`);
  const name = localValues(local).hostname;
  return { config: readAgentConfig(env, name === '' ? hostname() : name), local };
}

/** Runs the agent until it is signalled, or until it cannot go on. What it put into the kernel stays. */
async function runAgent(env: Environment, signal: AbortSignal): Promise<number> {
  const { config, local } = await readConfiguration(env);
  const log = createLogger('info', config.nodeName);
  const end = new Promise<undefined>(resolve => {
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  try {
    // A start that is cut short leaves as little behind as a crash: nothing.
    const agent = await Promise.race([
      startAgent({ config, local, log, clock: systemClock, user: loginUser(env), signal }),
      end,
    ]);
    const failure = agent === undefined ? undefined : await Promise.race([agent.failed, end]);
    await Promise.race([agent?.stop(), systemClock.sleep(STOP_LIMIT_MS)]);
    if (!signal.aborted) throw failure;
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    log.error('the agent cannot go on', { error: messageOf(error) });
    return 1;
  }
}

async function runCleanup(env: Environment, { out, err }: Streams): Promise<number> {
  const { config, local } = await readConfiguration(env);
  const { routeProtocol } = localValues(local);
  const failures = await cleanUp({
    config,
    routeProtocol,
    clock: systemClock,
    log: silentLogger,
    say: line => {
      out(`${line}\n`);
    },
  });
  for (const failure of failures) err(`calico-node cleanup: ${failure}\n`);
  return failures.length === 0 ? 0 : 1;
}

async function runClose(env: Environment, { out }: Streams): Promise<number> {
  const { config, local } = await readConfiguration(env);
  const made = await closeHost({ config, local, clock: systemClock, log: silentLogger });
  out(
    made
      ? 'interfaces of workloads are closed until calico-node runs\n'
      : 'nftables: table inet calico is there already, and stays\n',
  );
  return 0;
}

/** One call of calico-node; its exit code. */
export async function nodeMain(given: {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly streams: Streams;
}): Promise<number> {
  const { args, env, signal, streams } = given;
  const [command, ...rest] = args;
  if (rest.length === 0) {
    switch (command) {
      case undefined:
        return await runAgent(env, signal);
      case 'close':
        return await runClose(env, streams);
      case 'cleanup':
        return await runCleanup(env, streams);
      case 'status':
        return await showStatus(readAgentConfig(env, hostname()).runDir, streams);
      case '--help':
      case '-h':
        streams.out(usage);
        return 0;
      case '--version':
      case '-v':
        streams.out(`${buildInfo().version}\n`);
        return 0;
      default:
    }
  }
  streams.err(`calico-node: unknown arguments: ${args.join(' ')}\n${usage}`);
  return 1;
}
