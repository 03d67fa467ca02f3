import type { ResourceClient } from '../../datastore/index.js';
import { identify } from '../../resources/index.js';
import type { Kind, Resource } from '../../resources/index.js';

/** What is stored of the kinds that the resources have, by identity. */
export async function storedResources(
  client: Pick<ResourceClient, 'list'>,
  resources: readonly Resource[],
): Promise<ReadonlyMap<string, Resource>> {
  const found = new Map<string, Resource>();
  for (const kind of new Set<Kind>(resources.map(each => each.kind))) {
    for (const resource of await client.list(kind)) found.set(identify(resource), resource);
  }
  return found;
}
