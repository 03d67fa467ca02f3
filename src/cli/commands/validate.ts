import { identify } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { defineCommand, flag, list } from '../command.js';
import { validateHelp } from '../help/review.js';
import { readManifests } from '../manifests/index.js';
import { visible } from '../output/index.js';

/** Identities that more than one of the resources has: the last one would win. */
function repeated(resources: readonly Resource[]): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const resource of resources) {
    const identity = identify(resource);
    if (seen.has(identity)) twice.add(identity);
    seen.add(identity);
  }
  return [...twice];
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
    const { resources } = manifests;
    if (resources.length === 0) {
      out.line('No resources specified in file');
      return 1;
    }
    const twice = repeated(resources);
    for (const identity of twice) out.line(visible(`${identity} is given more than once`));
    if (twice.length > 0) return 1;
    out.line(`Successfully validated ${String(resources.length)} resource(s)`);
    return 0;
  },
});
