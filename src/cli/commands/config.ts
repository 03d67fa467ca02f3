import { defineCommand, flag, required, text } from '../command.js';
import { configHelp } from '../help/config.js';
import { notAvailable } from './not-available.js';

export const configCommand = defineCommand({
  path: ['config'],
  help: configHelp,
  options: {
    set: flag('set'),
    unset: flag('unset'),
    get: flag('get'),
    name: required('<NAME>'),
    value: text('<VALUE>'),
    node: text('--node'),
    raw: text('--raw'),
    config: text('--config'),
  },
  run: ({ out }) => notAvailable(out, ['config']),
});
