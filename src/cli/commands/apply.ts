import { defineCommand } from '../command.js';
import { applyHelp } from '../help/manifests.js';
import { writeManifests, writeOptionDefinitions } from './write-manifests.js';

export const applyCommand = defineCommand({
  path: ['apply'],
  help: applyHelp,
  options: writeOptionDefinitions,
  run: async ({ options, ...services }) => await writeManifests({ verb: 'apply', options }, services),
});
