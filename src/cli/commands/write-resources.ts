import { isCalicoError } from '../../base/index.js';
import type { ResourceWrite, Verb } from '../../datastore/index.js';
import type { Resource } from '../../resources/index.js';
import type { CommandServices, ExitCode } from '../command.js';
import { visible } from '../output/index.js';

const done: Readonly<Record<Verb, string>> = {
  create: 'created',
  apply: 'applied',
  replace: 'replaced',
  delete: 'deleted',
};

export interface WriteRequest {
  readonly verb: Verb;
  readonly resources: readonly Resource[];
  /** existing (create) or missing (delete) resources count as done */
  readonly tolerant?: boolean;
}

/** `'policy' ` when all resources have that kind. */
function kindWord(resources: readonly Resource[]): string {
  const kinds = new Set(resources.map(({ kind }) => kind));
  const [only = ''] = kinds;
  return kinds.size === 1 ? `'${only}' ` : '';
}

/** Writes all resources at once, or none, and says so in the words of `calicoctl.md` 3.4. */
export async function writeResources(
  { verb, resources, tolerant = false }: WriteRequest,
  { client, out }: Pick<CommandServices, 'client' | 'out'>,
): Promise<ExitCode> {
  if (resources.length === 0) {
    out.line('No resources specified in file');
    return 1;
  }
  const open = await client();
  const kind = kindWord(resources);
  try {
    await open.write(resources.map((resource): ResourceWrite => ({ verb, resource, tolerant })));
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    const what = resources.length === 1 ? `${kind}resource` : `any ${kind}resources`;
    out.line(`Failed to ${verb} ${what}: ${visible(error.message)}`);
    return 1;
  }
  out.line(`Successfully ${done[verb]} ${String(resources.length)} ${kind}resource(s)`);
  return 0;
}
