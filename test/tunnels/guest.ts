import { argv, exit, stdout } from 'node:process';
import { messageOf } from '../../src/base/index.js';
import { runHost } from './host.js';
import { runScenario } from './scenario.js';

/** Without arguments the whole test; `host NAME` one of its hosts, which the test starts itself. */
async function main(): Promise<void> {
  const [, program = '', word, name] = argv;
  if (word === 'host' && name !== undefined) await runHost(name);
  else await runScenario(program);
}

main().then(
  () => exit(0),
  (error: unknown) => {
    stdout.write(`not ok - ${messageOf(error)}\n`);
    exit(1);
  },
);
