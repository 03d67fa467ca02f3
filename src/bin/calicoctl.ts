import { systemClock } from '../base/index.js';
import { main, outputTo } from '../cli/index.js';
import { labCommands, labGroup } from './lab-commands/index.js';

/** A reader that has gone away, such as `head`, wants no more output; that is no failure of ours. */
function endQuietlyWithoutReader(error: Error): void {
  if (!('code' in error && error.code === 'EPIPE')) throw error;
  process.exit(process.exitCode);
}

process.stdout.on('error', endQuietlyWithoutReader);
process.stderr.on('error', endQuietlyWithoutReader);

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  out: outputTo(text => process.stdout.write(text)),
  err: outputTo(text => process.stderr.write(text)),
  stdin: () => process.stdin,
  clock: systemClock,
  commands: labCommands,
  groups: [labGroup],
});
