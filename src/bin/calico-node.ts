import { writeSync } from 'node:fs';
import { messageOf } from '../base/index.js';
import { nodeMain } from './node-commands/index.js';

const signalled = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    signalled.abort();
  });
}

nodeMain({
  args: process.argv.slice(2),
  env: process.env,
  signal: signalled.signal,
  // At once, for the process ends with the call.
  streams: { out: text => void writeSync(1, text), err: text => void writeSync(2, text) },
}).then(
  exitCode => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`calico-node: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
