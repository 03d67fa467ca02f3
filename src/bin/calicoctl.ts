import { systemClock } from '../base/index.js';
import { isTerminal, main, standardStream } from '../cli/index.js';
import { labCommands, labGroup } from './lab-commands/index.js';
import { loginUser } from './caller/index.js';

const ended = new AbortController();

/** Aborted at Ctrl-C or at the end of the session; a second one ends the program at once. */
function interrupted(): AbortSignal {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  return ended.signal;
}

// Meant for this program alone (bin/calicoctl), not for those that it starts.
delete process.env['NODE_COMPILE_CACHE'];

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  // Who watches and is no longer read has nothing left to do.
  out: standardStream(1, () => ended.abort()),
  err: standardStream(2),
  stdin: () => process.stdin,
  clock: systemClock,
  // An import would load node:os for commands that change nothing.
  whoami: () => ({ user: loginUser(process.env), host: process.getBuiltinModule('node:os').hostname() }),
  isTerminal,
  interrupted,
  nodeProgram: new URL('../bin/calico-node', import.meta.url).pathname,
  commands: labCommands,
  groups: [labGroup],
});
