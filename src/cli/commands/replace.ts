import { defineCommand, required, text } from '../command.js';
import { replaceHelp } from '../help/manifests.js';
import { writeManifests } from './write-manifests.js';

export const replaceCommand = defineCommand({
  path: ['replace'],
  help: replaceHelp,
  options: { filename: required('--filename'), config: text('--config') },
  run: async ({ options, ...services }) =>
    await writeManifests({ verb: 'replace', filename: options.filename }, services),
});
