import { defineCommand, text } from '../../command.js';
import { nodeDiagsHelp } from '../../help/node.js';
import { notAvailable } from '../not-available.js';

export const nodeDiagsCommand = defineCommand({
  path: ['node', 'diags'],
  help: nodeDiagsHelp,
  options: { logDir: text('--log-dir') },
  run: ({ out }) => notAvailable(out, ['node', 'diags']),
});
