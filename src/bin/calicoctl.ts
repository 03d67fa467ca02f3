import { systemClock } from '../base/index.js';
import { main, standardStream } from '../cli/index.js';
import { labCommands, labGroup } from './lab-commands/index.js';

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  out: standardStream(1),
  err: standardStream(2),
  stdin: () => process.stdin,
  clock: systemClock,
  commands: labCommands,
  groups: [labGroup],
});
