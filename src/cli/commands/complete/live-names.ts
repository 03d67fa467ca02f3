import { isCalicoError } from '../../../base/index.js';
import type { Kind, Resource } from '../../../resources/index.js';
import type { CommandServices } from '../../command.js';

/** Nobody waits longer for a suggestion. */
const PATIENCE_MS = 1_500;

/** The name that `get` and `delete` take. */
function nameOf({ metadata }: Resource): string {
  if ('cidr' in metadata) return metadata.cidr;
  return 'peerIP' in metadata ? metadata.peerIP : metadata.name;
}

/** Names of stored resources of a kind, of one node where that is given; none when the store does not answer. */
export async function liveNames(
  kind: Kind,
  node: string | undefined,
  { client, clock }: Pick<CommandServices, 'client' | 'clock'>,
): Promise<readonly string[]> {
  const stop = new AbortController();
  const late = clock.sleep(PATIENCE_MS, stop.signal).then(
    () => [],
    () => [],
  );
  const answer = async (): Promise<readonly string[]> => {
    try {
      const resources = await (await client()).list(kind);
      return resources
        .filter(({ metadata }) => node === undefined || !('node' in metadata) || metadata.node === node)
        .map(nameOf);
    } catch (error) {
      // A suggestion that cannot be made is no failure that anybody wants to read.
      if (isCalicoError(error)) return [];
      throw error;
    }
  };
  try {
    return await Promise.race([answer(), late]);
  } finally {
    stop.abort();
  }
}
