import { defineCommand } from '../../command.js';
import { nodeCheckSystemHelp } from '../../help/node.js';
import { notAvailable } from '../not-available.js';

export const nodeCheckSystemCommand = defineCommand({
  path: ['node', 'checksystem'],
  help: nodeCheckSystemHelp,
  options: {},
  run: ({ out }) => notAvailable(out, ['node', 'checksystem']),
});
