import { isCalicoError } from '../../base/index.js';
import type { ResourceClient } from '../../datastore/index.js';
import type { CellContext, Kind, Metadata, Resource } from '../../resources/index.js';
import { defineCommand, text } from '../command.js';
import type { CommandServices, ExitCode } from '../command.js';
import { getHelp } from '../help/get.js';
import { visible } from '../output/index.js';
import type { Output } from '../output/index.js';
import { readNamedResource } from './named-resource.js';
import type { Identifiers } from './named-resource.js';
import { isTemplate, parseOutputFormat, printAnswers } from './print-answers.js';
import type { Answer, OutputFormat } from './print-answers.js';

/** One list to be shown: what is given must be equal, the rest matches everything. */
interface Query {
  readonly kind: Kind;
  readonly identifiers: Identifiers;
}

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

async function queriesOfFile(filename: string, services: CommandServices): Promise<Queries> {
  const { readManifests } = await import('../manifests/index.js');
  const manifests = await readManifests({ filename, stdin: services.stdin });
  if (!manifests.ok) return { ok: false, message: `Failed to execute command: ${manifests.message}` };
  if (manifests.resources.length === 0) {
    return { ok: false, message: 'Failed to get resources: no resources specified' };
  }
  return { ok: true, queries: manifests.resources.map(queryOf) };
}

/** A peer named by its node alone is one of that node's own (`calicoctl.md` 5.2). */
function filterOf({ kind, identifiers }: Query): Partial<Metadata<Kind>> {
  const onlyNode = kind === 'bgpPeer' && 'node' in identifiers && !('scope' in identifiers);
  return onlyNode ? { ...identifiers, scope: 'node' } : identifiers;
}

async function globalAsNumber(client: ResourceClient): Promise<number | undefined> {
  const { parseAsNumber } = await import('../../net/index.js');
  const value = await client.getSetting({ component: 'bgp', name: 'as_num' });
  return value === undefined ? 64_512 : parseAsNumber(value);
}

async function answersTo(queries: readonly Query[], client: ResourceClient): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const query of queries) {
    answers.push({ kind: query.kind, resources: await client.list(query.kind, filterOf(query)) });
  }
  return answers;
}

/** Prints answers; `needsAsNumber` says whether that takes the AS number of nodes without their own. */
interface Printer {
  needsAsNumber(queries: readonly Query[]): boolean;
  print(answers: readonly Answer[], context: CellContext): ExitCode;
}

async function printerFor(format: OutputFormat, out: Output): Promise<Printer> {
  if (!isTemplate(format)) {
    return {
      needsAsNumber: queries => queries.some(({ kind }) => kind === 'node'),
      print: (answers, context) => printAnswers({ answers, format, context, out }),
    };
  }
  const { templatePrinter } = await import('./print-template.js');
  const print = await templatePrinter(format);
  return {
    needsAsNumber: () => true,
    print: (answers, context) => {
      out.text(print(answers, context));
      return 0;
    },
  };
}

async function show(
  queries: readonly Query[],
  format: OutputFormat,
  { out, ...services }: CommandServices,
): Promise<ExitCode> {
  const printer = await printerFor(format, out);
  const client = await services.client();
  let answers: readonly Answer[];
  let context: CellContext;
  try {
    answers = await answersTo(queries, client);
    const globalNumber = printer.needsAsNumber(queries) ? await globalAsNumber(client) : undefined;
    context = { globalAsNumber: globalNumber };
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    out.line(`Failed to get resources: ${visible(error.message)}`);
    return 1;
  }
  return printer.print(answers, context);
}

export const getCommand = defineCommand({
  path: ['get'],
  help: getHelp,
  options: {
    kind: text('<KIND>'),
    name: text('<NAME>'),
    node: text('--node'),
    orchestrator: text('--orchestrator'),
    workload: text('--workload'),
    scope: text('--scope'),
    filename: text('--filename'),
    output: text('--output'),
    config: text('--config'),
  },
  run: async ({ options, ...services }) => {
    const { kind, filename = '', output = '' } = options;
    const format = parseOutputFormat(output);
    if (!format.ok) {
      services.out.line(visible(format.message));
      return 1;
    }
    if (kind === undefined) {
      const read = await queriesOfFile(filename, services);
      if (read.ok) return await show(read.queries, format.format, services);
      services.out.line(read.message);
      return 1;
    }
    const named = readNamedResource({ ...options, kind });
    if (named.ok) return await show([named], format.format, services);
    services.out.line(`Failed to get resources: ${named.message}`);
    return 1;
  },
});
