import type { ResourceClient } from '../../../datastore/index.js';
import type { Kind, Metadata, Resource } from '../../../resources/index.js';
import { matches, parseSelector } from '../../../selector/index.js';
import type { CommandServices } from '../../command.js';
import { visible } from '../../output/index.js';
import type { Identifiers } from '../named-resource.js';
import type { Answer } from '../print-answers.js';

/** One list to be shown: what is given must be equal, the rest matches everything. */
export interface Query {
  readonly kind: Kind;
  readonly identifiers: Identifiers;
}

/** Whether a resource is wanted, by its labels. */
export type LabelFilter = (resource: Resource) => boolean;

type ReadFilter =
  | { readonly ok: true; readonly isWanted: LabelFilter }
  | { readonly ok: false; readonly message: string };

type Queries =
  | { readonly ok: true; readonly queries: readonly Query[] }
  | { readonly ok: false; readonly message: string };

/** Metadata that identifies; labels and tags do not. */
function queryOf({ kind, metadata }: Resource): Query {
  const given = Object.entries(metadata).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
  return { kind, identifiers: Object.fromEntries(given) };
}

/** A query for each resource of the files, or what to say instead. */
export async function queriesOfFiles(
  files: { readonly filenames: readonly string[]; readonly recursive: boolean },
  { stdin }: Pick<CommandServices, 'stdin'>,
): Promise<Queries> {
  const { readManifests } = await import('../../manifests/index.js');
  const manifests = await readManifests({ ...files, repeatable: true, stdin });
  if (!manifests.ok) return { ok: false, message: `Failed to execute command: ${manifests.message}` };
  if (manifests.resources.length === 0) {
    return { ok: false, message: 'Failed to get resources: no resources specified' };
  }
  return { ok: true, queries: manifests.resources.map(queryOf) };
}

/** The identifiers that must be equal; a peer named by its node alone is one of that node's own (`calicoctl.md` 5.2). */
export function filterOf({ kind, identifiers }: Query): Partial<Metadata<Kind>> {
  const onlyNode = kind === 'bgpPeer' && 'node' in identifiers && !('scope' in identifiers);
  return onlyNode ? { ...identifiers, scope: 'node' } : identifiers;
}

/** Reads `--selector`: it is about the labels that a resource itself has. */
export function labelFilter(selector: string | undefined): ReadFilter {
  if (selector === undefined) return { ok: true, isWanted: () => true };
  const parsed = parseSelector(selector);
  if (!parsed.ok) {
    const reason = `${parsed.reason} at character ${String(parsed.position + 1)}`;
    return {
      ok: false,
      message: visible(`error with field selector = '${selector}' (--selector: ${reason})`),
    };
  }
  const labelsOf = ({ metadata }: Resource): Readonly<Record<string, string>> =>
    'labels' in metadata ? (metadata.labels ?? {}) : {};
  return { ok: true, isWanted: resource => matches(parsed.selector, labelsOf(resource)) };
}

/** What is stored for each query. */
export async function answersTo(
  queries: readonly Query[],
  isWanted: LabelFilter,
  client: ResourceClient,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const query of queries) {
    const resources = await client.list(query.kind, filterOf(query));
    answers.push({ kind: query.kind, resources: resources.filter(isWanted) });
  }
  return answers;
}
