import { CalicoError, isCalicoError } from '../../base/index.js';
import { checkIdentifiers } from '../../datastore/index.js';
import type { ResourceClient, ResourceWrite, Verb } from '../../datastore/index.js';
import type { Resource } from '../../resources/index.js';
import type { CommandServices, ExitCode } from '../command.js';
import { placeName } from '../manifests/index.js';
import type { ResourcePlace } from '../manifests/index.js';
import { visible } from '../output/index.js';
import { resourceName } from '../resource-name.js';
import { failingAs } from './failing-as.js';
import { withAdvice } from './no-atomic-advice.js';

const done: Readonly<Record<Verb, string>> = {
  create: 'created',
  apply: 'applied',
  replace: 'replaced',
  delete: 'deleted',
};

/** How the resources are written, and what is said of it. */
export interface WriteOptions {
  readonly dryRun?: boolean;
  /** in several transactions */
  readonly noAtomic?: boolean;
  /** `name` prints the names of the resources instead of a summary */
  readonly output?: string | undefined;
}

export interface WriteRequest extends WriteOptions {
  readonly verb: Verb;
  readonly resources: readonly Resource[];
  /** where each of them stands in the files that they were read from */
  readonly places?: readonly ResourcePlace[];
  /** existing (create) or missing (delete) resources count as done */
  readonly tolerant?: boolean;
}

type Services = Pick<CommandServices, 'client' | 'datastore' | 'clock' | 'out' | 'progress'>;

/** `'policy' ` when all resources have that kind. */
function kindWord(resources: readonly Resource[]): string {
  const kinds = new Set(resources.map(({ kind }) => kind));
  const [only = ''] = kinds;
  return kinds.size === 1 ? `'${only}' ` : '';
}

/** Whether the address manager keeps something of the resource. */
function holdsAddresses({ kind }: Resource): boolean {
  return kind === 'node' || kind === 'ipPool';
}

function writesOf(
  { verb, tolerant = false }: WriteRequest,
  resources: readonly Resource[],
): readonly ResourceWrite[] {
  return resources.map(resource => ({ verb, resource, tolerant }));
}

/** Adds to a refusal of identifiers which resource of the files it is about. */
function withPlace(error: unknown, { verb, resources, places = [] }: WriteRequest): unknown {
  if (!isCalicoError(error, 'invalid')) return error;
  const refused = writesOf({ verb, resources }, resources).findIndex(each => {
    try {
      checkIdentifiers(each);
      return false;
    } catch {
      return true;
    }
  });
  const place = places[refused];
  if (place === undefined) return error;
  return new CalicoError(error.code, `${error.message} (${placeName(place)})`, { cause: error });
}

/** Writes some of the resources at once, or none. */
async function write(
  request: WriteRequest,
  resources: readonly Resource[],
  { datastore, clock }: Services,
): Promise<void> {
  const open = await datastore();
  const writeAll = async (): Promise<void> => {
    await open.client.write(writesOf(request, resources));
  };
  if (request.verb !== 'delete' || !resources.some(holdsAddresses)) {
    await writeAll();
    return;
  }
  const { deleteReleasing } = await import('./release-addresses.js');
  await deleteReleasing(open, { resources, clock, write: writeAll });
}

async function writeAtOnce(request: WriteRequest, services: Services): Promise<void> {
  try {
    await write(request, request.resources, services);
  } catch (error) {
    throw withPlace(withAdvice(error), request);
  }
}

async function dryRun(client: ResourceClient, request: WriteRequest, services: Services): Promise<ExitCode> {
  try {
    await client.check(writesOf(request, request.resources));
  } catch (error) {
    throw withPlace(error, request);
  }
  const { dryRunLines } = await import('./dry-run.js');
  const lines = await dryRunLines(client, request);
  for (const line of lines) services.out.line(visible(line));
  return 0;
}

/** Writes in several transactions; says how far it came when it did not come to the end (`calicoctl.md` 3.4). */
async function writeStepByStep(request: WriteRequest, services: Services): Promise<ExitCode | undefined> {
  const { verb, resources } = request;
  const { out, progress } = services;
  const total = String(resources.length);
  const { writeInParts } = await import('./write-parts.js');
  const { done: count, failure } = await writeInParts(resources, {
    write: async part => await write(request, part, services),
    progress: written => progress(`${String(written)} of ${total} ${done[verb]}`),
  });
  progress(undefined);
  if (failure === undefined) return undefined;
  // Nothing was done: the same words as when all are written at once.
  if (count === 0) throw failure;
  out.line(
    `Partial success: ${done[verb]} the first ${String(count)} out of ${total} ${kindWord(resources)}resources:`,
  );
  out.line(visible(`Hit error: ${failure.message}`));
  return 1;
}

/**
 * Writes all resources at once, or none, unless it may do so in parts, and says so in the words of
 * `calicoctl.md` 3.4.
 */
export async function writeResources(request: WriteRequest, services: Services): Promise<ExitCode> {
  const { verb, resources, output = 'ps' } = request;
  const { out } = services;
  if (output !== 'ps' && output !== 'name') {
    out.line(`unrecognized output format '${visible(output)}'`);
    return 1;
  }
  if (resources.length === 0) {
    out.line('No resources specified in file');
    return 1;
  }
  const client = await services.client();
  const kind = kindWord(resources);
  const what = resources.length === 1 ? `${kind}resource` : `any ${kind}resources`;
  return await failingAs({ prefix: `Failed to ${verb} ${what}`, out }, async () => {
    if (request.dryRun) return await dryRun(client, request, services);
    const failed = request.noAtomic
      ? await writeStepByStep(request, services)
      : await writeAtOnce(request, services);
    if (failed !== undefined) return failed;
    if (output === 'name') for (const resource of resources) out.line(visible(resourceName(resource)));
    else out.line(`Successfully ${done[verb]} ${String(resources.length)} ${kind}resource(s)`);
    return 0;
  });
}
