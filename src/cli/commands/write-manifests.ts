import { flag, list, text } from '../command.js';
import type { CommandServices, ExitCode, OptionValues } from '../command.js';
import { readManifests } from '../manifests/index.js';
import { writeResources } from './write-resources.js';
import type { WriteRequest } from './write-resources.js';

/** The options that create, apply, replace and delete have in common. */
export const writeOptionDefinitions = {
  filenames: list('--filename'),
  recursive: flag('--recursive'),
  dryRun: flag('--dry-run'),
  noAtomic: flag('--no-atomic'),
  output: text('--output'),
  config: text('--config'),
} as const;

type ManifestRequest = Pick<WriteRequest, 'verb' | 'tolerant'> & {
  readonly options: Omit<OptionValues<typeof writeOptionDefinitions>, 'config'>;
};

/** Reads all of the files, and writes only when all of it is right. */
export async function writeManifests(
  { verb, tolerant = false, options }: ManifestRequest,
  services: CommandServices,
): Promise<ExitCode> {
  const { filenames, recursive, dryRun, noAtomic, output } = options;
  const manifests = await readManifests({ filenames, recursive, stdin: services.stdin });
  if (!manifests.ok) {
    services.out.line(`Failed to execute command: ${manifests.message}`);
    return 1;
  }
  const { resources, places } = manifests;
  return await writeResources({ verb, tolerant, resources, places, dryRun, noAtomic, output }, services);
}
