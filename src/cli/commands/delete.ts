import type { Resource } from '../../resources/index.js';
import { defineCommand, flag } from '../command.js';
import { deleteHelp } from '../help/delete.js';
import { namedOptionDefinitions, readNamedResource } from './named-resource.js';
import type { NamedResource } from './named-resource.js';
import { writeManifests, writeOptionDefinitions } from './write-manifests.js';
import { writeResources } from './write-resources.js';

/** Every identifier that a kind can have, not given: the store names the first that it misses. */
const nothing = { name: '', node: '', orchestrator: '', workload: '', scope: '', cidr: '', peerIP: '' };

/** A resource that has just what a delete looks at. */
function toBeDeleted({ kind, identifiers }: Extract<NamedResource, { ok: true }>): Resource {
  const metadata = { ...nothing, ...identifiers };
  // By the contract of ResourceWrite only the identifiers of a deleted resource matter, and they are all here.
  return { apiVersion: 'v1', kind, metadata, spec: {} } as unknown as Resource;
}

export const deleteCommand = defineCommand({
  path: ['delete'],
  help: deleteHelp,
  options: {
    ...namedOptionDefinitions,
    skipNotExists: flag('--skip-not-exists'),
    ...writeOptionDefinitions,
  },
  run: async ({ options, ...services }) => {
    const { kind, skipNotExists: tolerant, dryRun, noAtomic, output } = options;
    if (kind === undefined) return await writeManifests({ verb: 'delete', tolerant, options }, services);
    const named = readNamedResource({ ...options, kind });
    if (!named.ok) {
      services.out.line(`Failed to execute command: ${named.message}`);
      return 1;
    }
    const resources = [toBeDeleted(named)];
    return await writeResources({ verb: 'delete', resources, tolerant, dryRun, noAtomic, output }, services);
  },
});
