import type { ResourceChange } from '../../../datastore/index.js';
import { toJson } from '../../../resources/index.js';
import type { CellContext, Kind, Metadata, Resource } from '../../../resources/index.js';
import type { CommandServices, ExitCode } from '../../command.js';
import { columnWidths, formatJson, formatRow, formatYaml, visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { resourceName } from '../../resource-name.js';
import { failingAs } from '../failing-as.js';
import { isTable, isTemplate, tableRows } from '../print-answers.js';
import type { OutputFormat, TableFormat } from '../print-answers.js';
import { filterOf } from './queries.js';
import type { LabelFilter, Query } from './queries.js';
import { globalAsNumber } from './show.js';
import type { ShowRequest } from './show.js';

/** What happened to a resource that is watched, and how it was last seen. */
interface WatchedChange {
  readonly event: 'added' | 'changed' | 'deleted';
  readonly resource: Resource;
}

function isAsked(queries: readonly Query[], isWanted: LabelFilter, resource: Resource): boolean {
  const metadata: Partial<Record<string, unknown>> = resource.metadata;
  const hasAll = (filter: Partial<Metadata<Kind>>): boolean =>
    Object.entries(filter).every(([name, value]) => metadata[name] === value);
  return isWanted(resource) && queries.some(query => query.kind === resource.kind && hasAll(filterOf(query)));
}

/** Follows the resources that are asked for: what a change means for who sees only those. */
function follower(
  queries: readonly Query[],
  isWanted: LabelFilter,
): (change: ResourceChange) => WatchedChange | undefined {
  const known = new Map<string, Resource>();
  return ({ id, resource }) => {
    const before = known.get(id);
    if (resource !== undefined && isAsked(queries, isWanted, resource)) {
      known.set(id, resource);
      return { event: before === undefined ? 'added' : 'changed', resource };
    }
    known.delete(id);
    return before === undefined ? undefined : { event: 'deleted', resource: before };
  };
}

type ChangePrinter = (changes: readonly WatchedChange[], context: CellContext) => void;

/** What to say of a heading that one of the kinds does not have: at once, not when the first of it appears. */
function wrongHeading(queries: readonly Query[], format: TableFormat): string | undefined {
  for (const { kind } of queries) {
    const table = tableRows({ kind, resources: [] }, format, { globalAsNumber: undefined });
    if ('unknown' in table) return table.unknown;
  }
  return undefined;
}

/** As rows of tables whose columns only grow; with headings when the kind is another than before. */
function tablePrinter(format: TableFormat, out: Output): ChangePrinter {
  const known = new Map<Kind, readonly number[]>();
  let last: Kind | undefined;
  return (changes, context) => {
    for (const { event, resource } of changes) {
      const { kind } = resource;
      const table = tableRows({ kind, resources: [resource] }, format, context);
      if ('unknown' in table) continue;
      const headings = ['EVENT', ...table.headings];
      const row = [event, ...(table.rows[0] ?? [])];
      const widths = columnWidths(headings, [row], known.get(kind));
      known.set(kind, widths);
      if (last !== kind) out.line(formatRow(headings, widths));
      last = kind;
      out.line(formatRow(row, widths));
    }
  };
}

function textPrinter(
  { kind }: Exclude<OutputFormat, TableFormat | { kind: 'go-template' | 'go-template-file' }>,
  out: Output,
): ChangePrinter {
  return changes => {
    for (const { event, resource } of changes) {
      const shown = { event, resource: toJson(resource) };
      if (kind === 'yaml') out.text(`---\n${formatYaml(shown)}`);
      else if (kind === 'json') out.text(formatJson(shown));
      else out.line(`${event} ${visible(resourceName(resource))}`);
    }
  };
}

/** Prints what is stored for the queries, then each change of it, until the user interrupts it. */
export async function watch(
  { queries, isWanted, format }: ShowRequest,
  services: Pick<CommandServices, 'out' | 'client' | 'interrupted'>,
): Promise<ExitCode> {
  const { out } = services;
  if (isTemplate(format)) {
    out.line(`output format ${format.kind} cannot be watched`);
    return 1;
  }
  const client = await services.client();
  const wrong = isTable(format) ? wrongHeading(queries, format) : undefined;
  if (wrong !== undefined) {
    out.line(visible(wrong));
    return 1;
  }
  const print = isTable(format) ? tablePrinter(format, out) : textPrinter(format, out);
  const follow = follower(queries, isWanted);
  return await failingAs({ prefix: 'Failed to get resources', out }, async () => {
    for await (const { changes } of client.watch({ signal: services.interrupted() })) {
      const seen = changes.flatMap(change => (change.kind === 'resource' ? (follow(change) ?? []) : []));
      if (seen.length === 0) continue;
      const needsAsNumber = seen.some(({ resource }) => resource.kind === 'node');
      const context = { globalAsNumber: needsAsNumber ? await globalAsNumber(client) : undefined };
      print(seen, context);
    }
    return 0;
  });
}
