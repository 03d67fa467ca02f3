import { CalicoError } from '../base/index.js';
import type { Resource } from '../resources/index.js';
import type { InputSources } from './manifests/index.js';

/**
 * The resources of a file, or of standard input for `-`; throws `invalid` with the message that calicoctl
 * prints. The reader is loaded at the first call: commands that read no file do not pay for it.
 */
export async function readManifests(
  filename: string,
  stdin: InputSources['stdin'],
): Promise<readonly Resource[]> {
  const reader = await import('./manifests/index.js');
  const manifests = await reader.readManifests({ filenames: [filename], stdin });
  if (!manifests.ok) throw new CalicoError('invalid', manifests.message);
  return manifests.resources;
}

/** As the reader's `readDocument`, loaded at the first call. */
export async function readDocument(path: string): Promise<unknown> {
  return await (await import('./manifests/index.js')).readDocument(path);
}
