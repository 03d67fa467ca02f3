import type { ResourceWrite, Verb } from '../../datastore/index.js';
import type { Resource } from '../../resources/index.js';
import type { CommandServices, ExitCode } from '../command.js';
import { failingAs } from './failing-as.js';

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
  services: Pick<CommandServices, 'client' | 'datastore' | 'clock' | 'out'>,
): Promise<ExitCode> {
  const { out, clock } = services;
  if (resources.length === 0) {
    out.line('No resources specified in file');
    return 1;
  }
  const client = await services.client();
  const kind = kindWord(resources);
  const write = async (): Promise<void> => {
    await client.write(resources.map((resource): ResourceWrite => ({ verb, resource, tolerant })));
  };
  const what = resources.length === 1 ? `${kind}resource` : `any ${kind}resources`;
  return await failingAs({ prefix: `Failed to ${verb} ${what}`, out }, async () => {
    if (verb === 'delete' && resources.some(holdsAddresses)) {
      const { deleteReleasing } = await import('./release-addresses.js');
      await deleteReleasing(await services.datastore(), { resources, clock, write });
    } else {
      await write();
    }
    out.line(`Successfully ${done[verb]} ${String(resources.length)} ${kind}resource(s)`);
    return 0;
  });
}

/** Whether the address manager keeps something of the resource. */
function holdsAddresses({ kind }: Resource): boolean {
  return kind === 'node' || kind === 'ipPool';
}
