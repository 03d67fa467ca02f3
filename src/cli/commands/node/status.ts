import { defineCommand } from '../../command.js';
import { nodeStatusHelp } from '../../help/node.js';
import { notAvailable } from '../not-available.js';

export const nodeStatusCommand = defineCommand({
  path: ['node', 'status'],
  help: nodeStatusHelp,
  options: {},
  run: ({ out }) => notAvailable(out, ['node', 'status']),
});
