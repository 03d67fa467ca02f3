import { isCalicoError } from '../../base/index.js';
import { checkIdentifiers } from '../../datastore/index.js';
import type { Resource } from '../../resources/index.js';
import { defineCommand, flag, list } from '../command.js';
import { validateHelp } from '../help/review.js';
import { placeName, readManifests } from '../manifests/index.js';
import { visible } from '../output/index.js';

/** What a write would find missing in the identifiers of a resource; undefined when it has all it needs. */
function lackOf(resource: Resource): string | undefined {
  const mayGetName = resource.kind === 'workloadEndpoint' && resource.metadata.name === '';
  try {
    // The name that a workload endpoint without one gets when it is created.
    const metadata = mayGetName ? { ...resource.metadata, name: 'any' } : resource.metadata;
    checkIdentifiers({ verb: 'create', resource: { ...resource, metadata } as Resource });
    return undefined;
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    return error.message;
  }
}

export const validateCommand = defineCommand({
  path: ['validate'],
  help: validateHelp,
  options: { filenames: list('--filename'), recursive: flag('--recursive') },
  run: async ({ options, out, stdin }) => {
    const manifests = await readManifests({ ...options, stdin });
    if (!manifests.ok) {
      out.line(`Failed to execute command: ${manifests.message}`);
      return 1;
    }
    const { resources, places } = manifests;
    if (resources.length === 0) {
      out.line('No resources specified in file');
      return 1;
    }
    const lacks = resources.flatMap((resource, index) => {
      const [lack, place] = [lackOf(resource), places[index]];
      return lack === undefined || place === undefined ? [] : [`${lack} (${placeName(place)})`];
    });
    for (const lack of lacks) out.line(visible(`Failed to execute command: ${lack}`));
    if (lacks.length > 0) return 1;
    out.line(`Successfully validated ${String(resources.length)} resource(s)`);
    return 0;
  },
});
