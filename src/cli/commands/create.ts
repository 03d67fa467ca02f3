import { defineCommand, flag } from '../command.js';
import { createHelp } from '../help/manifests.js';
import { writeManifests, writeOptionDefinitions } from './write-manifests.js';

export const createCommand = defineCommand({
  path: ['create'],
  help: createHelp,
  options: { ...writeOptionDefinitions, skipExists: flag('--skip-exists') },
  run: async ({ options, ...services }) =>
    await writeManifests({ verb: 'create', tolerant: options.skipExists, options }, services),
});
