import { defineCommand, required, text } from '../../command.js';
import { ipamShowHelp } from '../../help/ipam.js';
import { notAvailable } from '../not-available.js';

export const ipamShowCommand = defineCommand({
  path: ['ipam', 'show'],
  help: ipamShowHelp,
  options: { ip: required('--ip'), config: text('--config') },
  run: ({ out }) => notAvailable(out, ['ipam', 'show']),
});
