import { hostname } from 'node:os';
import { messageOf, systemClock } from '../base/index.js';
import {
  createLogger,
  localHostname,
  readAgentConfig,
  readLocalSettings,
  startAgent,
} from '../node/index.js';

/** Runs the agent until a signal, or until it cannot go on. What it put into the kernel stays. */
async function main(): Promise<number> {
  const signalled = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => signalled.abort());
  const { signal } = signalled;
  const end = new Promise<undefined>(resolve => {
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  const etcDir = readAgentConfig(process.env, hostname()).etcDir;
  const local = await readLocalSettings(process.env, `${etcDir}/felix.cfg`);
  const config = readAgentConfig(process.env, localHostname(local) ?? hostname());
  const log = createLogger('info', config.nodeName);
  try {
    // A start that is cut short leaves as little behind as a crash: nothing.
    const agent = await Promise.race([startAgent({ config, local, log, clock: systemClock, signal }), end]);
    const failure = agent === undefined ? undefined : await Promise.race([agent.failed, end]);
    await agent?.stop();
    if (!signal.aborted) throw failure;
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    log.error('the agent cannot go on', { error: messageOf(error) });
    return 1;
  }
}

main().then(
  exitCode => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`calico-node: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
