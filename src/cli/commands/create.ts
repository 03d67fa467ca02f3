import { defineCommand, flag, required, text } from '../command.js';
import { createHelp } from '../help/manifests.js';
import { writeManifests } from './write-manifests.js';

export const createCommand = defineCommand({
  path: ['create'],
  help: createHelp,
  options: { filename: required('--filename'), skipExists: flag('--skip-exists'), config: text('--config') },
  run: async ({ options, ...services }) =>
    await writeManifests(
      { verb: 'create', filename: options.filename, tolerant: options.skipExists },
      services,
    ),
});
