import { defineCommand, required, text } from '../command.js';
import { applyHelp } from '../help/manifests.js';
import { writeManifests } from './write-manifests.js';

export const applyCommand = defineCommand({
  path: ['apply'],
  help: applyHelp,
  options: { filename: required('--filename'), config: text('--config') },
  run: async ({ options, ...services }) =>
    await writeManifests({ verb: 'apply', filename: options.filename }, services),
});
