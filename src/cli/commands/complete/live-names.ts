import { isCalicoError } from '../../../base/index.js';
import type { Kind, Resource } from '../../../resources/index.js';
import type { CommandServices } from '../../command.js';

/** Nobody waits longer for a suggestion. */
const PATIENCE_MS = 1_500;
const MOST_REVISIONS = 30;

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
  return await inTime(clock, async () => {
    const resources = await (await client()).list(kind);
    return resources
      .filter(({ metadata }) => node === undefined || !('node' in metadata) || metadata.node === node)
      .map(nameOf);
  });
}

/** The newest revisions of the history; none when the store does not answer. */
export async function liveRevisions(
  services: Pick<CommandServices, 'client' | 'datastore' | 'author' | 'clock'>,
): Promise<readonly string[]> {
  return await inTime(services.clock, async () => {
    const { openHistory } = await import('../revisions/open-history.js');
    const revisions = await (await openHistory(services)).revisions({ limit: MOST_REVISIONS });
    return revisions.map(({ revision }) => String(revision));
  });
}

/** What is known in time; a suggestion that cannot be made is no failure that anybody wants to read. */
async function inTime(
  clock: CommandServices['clock'],
  ask: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const stop = new AbortController();
  const late = clock.sleep(PATIENCE_MS, stop.signal).then(
    () => [],
    () => [],
  );
  const answer = async (): Promise<readonly string[]> => {
    try {
      return await ask();
    } catch (error) {
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
