import { defineCommand, required, text } from '../../command.js';
import { ipamReleaseHelp } from '../../help/ipam.js';
import { notAvailable } from '../not-available.js';

export const ipamReleaseCommand = defineCommand({
  path: ['ipam', 'release'],
  help: ipamReleaseHelp,
  options: { ip: required('--ip'), config: text('--config') },
  run: ({ out }) => notAvailable(out, ['ipam', 'release']),
});
