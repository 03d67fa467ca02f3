import { hostname } from 'node:os';
import { messageOf, systemClock } from '../base/index.js';
import { createLogger, readAgentConfig, startAgent } from '../node/index.js';

/** Runs the agent until a signal, or until it cannot go on. What it put into the kernel stays. */
async function main(): Promise<number> {
  const config = readAgentConfig(process.env, hostname());
  const log = createLogger(config.logLevel, config.nodeName);
  const signalled = new Promise<'signal'>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve('signal');
      });
    }
  });
  const agent = await startAgent({ config, log, clock: systemClock });
  const end = await Promise.race([signalled, agent.failed]);
  await agent.stop();
  if (end === 'signal') return 0;
  log.error('the agent cannot go on', { error: messageOf(end) });
  return 1;
}

main().then(
  exitCode => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`calico-node: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
