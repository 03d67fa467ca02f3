import type { ResourceClient, Verb } from '../../datastore/index.js';
import { identify } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { resourceName } from '../resource-name.js';
import { saysTheSame } from '../same-resource.js';
import { storedResources } from './stored-resources.js';

type Outcome = 'created' | 'changed' | 'unchanged' | 'deleted' | 'skipped';

function outcomeOf(verb: Verb, stored: Resource | undefined, resource: Resource): Outcome {
  if (verb === 'delete') return stored === undefined ? 'skipped' : 'deleted';
  if (stored === undefined) return 'created';
  if (verb === 'create') return 'skipped';
  return saysTheSame(stored, resource) ? 'unchanged' : 'changed';
}

/** What a write that was found to be possible would do: a line for each resource, and one of numbers. */
export async function dryRunLines(
  client: Pick<ResourceClient, 'list'>,
  { verb, resources }: { readonly verb: Verb; readonly resources: readonly Resource[] },
): Promise<readonly string[]> {
  const stored = await storedResources(client, resources);
  const counts = new Map<Outcome, number>();
  const lines = resources.map(resource => {
    const outcome = outcomeOf(verb, stored.get(identify(resource)), resource);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return `${resourceName(resource)} ${outcome} (dry run)`;
  });
  const numbers = [...counts].map(([outcome, count]) => `${String(count)} ${outcome}`).join(', ');
  return [...lines, `Nothing was written: ${numbers}`];
}
