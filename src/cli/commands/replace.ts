import { defineCommand } from '../command.js';
import { replaceHelp } from '../help/manifests.js';
import { writeManifests, writeOptionDefinitions } from './write-manifests.js';

export const replaceCommand = defineCommand({
  path: ['replace'],
  help: replaceHelp,
  options: writeOptionDefinitions,
  run: async ({ options, ...services }) => await writeManifests({ verb: 'replace', options }, services),
});
