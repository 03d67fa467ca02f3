import type { CommandServices, ExitCode } from '../command.js';
import { readManifests } from '../manifests/index.js';
import { writeResources } from './write-resources.js';
import type { WriteRequest } from './write-resources.js';

/** Reads all of a file, and writes it only when all of it is right. */
export async function writeManifests(
  { filename, ...request }: Omit<WriteRequest, 'resources'> & { readonly filename: string },
  services: CommandServices,
): Promise<ExitCode> {
  const manifests = await readManifests({ filename, stdin: services.stdin });
  if (!manifests.ok) {
    services.out.line(`Failed to execute command: ${manifests.message}`);
    return 1;
  }
  return await writeResources({ ...request, resources: manifests.resources }, services);
}
