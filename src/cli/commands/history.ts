import type { History, Revision, Subject } from '../../datastore/index.js';
import { kindOfWord } from '../../resources/index.js';
import { defineCommand, flag, text } from '../command.js';
import type { CommandServices, ExitCode } from '../command.js';
import { historyHelp } from '../help/history.js';
import { formatStructured, formatTable, isStructured, visible } from '../output/index.js';
import type { StructuredFormat } from '../output/index.js';
import { failingAs } from './failing-as.js';
import { namedOptionDefinitions, readNamedResource } from './named-resource.js';
import type { Identifiers, NamedOptions } from './named-resource.js';
import { coloured, differenceLines } from './revisions/difference-lines.js';
import { badRevision, openHistory, parseRevision } from './revisions/open-history.js';
import { revisionData, timeText, withDifferences } from './revisions/revision-data.js';
import { identifiersOf } from './revisions/subject-name.js';
import { changesText } from './revisions/summary.js';

type Format = StructuredFormat | 'ps';
type Concerns = (subject: Subject) => boolean;

/** Which subjects a query is about, or what is wrong with it; without a kind it is all, of a node where given. */
function concernsOf(
  options: Omit<NamedOptions, 'kind'> & { readonly kind: string | undefined },
):
  | { readonly ok: true; readonly concerns: Concerns | undefined }
  | { readonly ok: false; readonly message: string } {
  const { kind, node, name } = options;
  const given = (identifiers: Identifiers, subject: Subject): boolean => {
    const found = identifiersOf(subject);
    return Object.entries(identifiers).every(([key, value]) => found[key] === value);
  };
  if (kind === undefined) {
    return { ok: true, concerns: node === undefined ? undefined : subject => given({ node }, subject) };
  }
  if (kind.toLowerCase() === 'config') {
    const wanted = { ...(name !== undefined && { name }), ...(node !== undefined && { node }) };
    return { ok: true, concerns: subject => subject.kind === 'setting' && given(wanted, subject) };
  }
  const named = readNamedResource({ ...options, kind });
  if (!named.ok) return named;
  return {
    ok: true,
    concerns: subject =>
      subject.kind === 'resource' && subject.resourceKind === named.kind && given(named.identifiers, subject),
  };
}

function tableRow({ revision, time, user, command, changes }: Revision): readonly string[] {
  return [String(revision), timeText(time), user, command, changesText(changes)];
}

interface ListRequest {
  readonly concerns: Concerns | undefined;
  /** also revisions of workload endpoints alone */
  readonly endpoints: boolean;
  readonly limit: number;
  readonly format: Format;
}

/** One revision more than is shown is asked for: so it is known whether there are more. */
async function listRevisions(
  history: History,
  { concerns, endpoints, limit, format }: ListRequest,
  { out }: Pick<CommandServices, 'out'>,
): Promise<ExitCode> {
  const query = { endpoints, ...(concerns && { concerns }), ...(limit > 0 && { limit: limit + 1 }) };
  const found = await history.revisions(query);
  const shown = limit > 0 ? found.slice(0, limit) : found;
  if (format !== 'ps') {
    out.text(formatStructured(format, shown.map(revisionData)));
    return 0;
  }
  out.text(formatTable(['REVISION', 'TIME', 'USER', 'COMMAND', 'CHANGES'], shown.map(tableRow)));
  if (shown.length < found.length) out.line(`There are older revisions: --limit=0 shows all.`);
  return 0;
}

async function showRevision(
  history: History,
  { revision, format }: { readonly revision: number; readonly format: Format },
  { out, colour }: Pick<CommandServices, 'out' | 'colour'>,
): Promise<ExitCode> {
  const found = await history.revision(revision);
  if (format !== 'ps') {
    out.text(formatStructured(format, withDifferences(found)));
    return 0;
  }
  const { user, host, command, time, changes, differences } = found;
  const heading: readonly (readonly [string, string])[] = [
    ['Revision:', String(revision)],
    ['Time:', timeText(time)],
    ['User:', host === '' ? user : `${user} on ${host}`],
    ['Command:', command],
    ['Changes:', changesText(changes)],
  ];
  for (const [name, value] of heading) out.line(visible(`${name.padEnd(11)}${value}`));
  out.line('');
  const labels = { from: String(revision - 1), to: String(revision) };
  const paint = colour() ? coloured : (line: string): string => line;
  for (const each of differences) for (const line of differenceLines(each, labels)) out.line(paint(line));
  return 0;
}

export const historyCommand = defineCommand({
  path: ['history'],
  help: historyHelp,
  options: {
    ...namedOptionDefinitions,
    revision: text('--revision'),
    limit: text('--limit'),
    includeLive: flag('--include-live'),
    output: text('--output'),
    config: text('--config'),
  },
  run: async ({ options, ...services }) => {
    const { out } = services;
    const { output = 'ps', limit = '50', revision } = options;
    const refuse = (message: string): ExitCode => {
      out.line(visible(message));
      return 1;
    };
    if (output !== 'ps' && !isStructured(output)) return refuse(`unrecognized output format '${output}'`);
    const most = parseRevision(limit);
    if (most === undefined) return refuse(`--limit='${limit}': expected a number, 0 for all`);
    const one = revision === undefined ? undefined : parseRevision(revision);
    if (revision !== undefined && one === undefined) return refuse(badRevision('--revision', revision));
    const query = concernsOf(options);
    if (!query.ok) return refuse(`Failed to read the history: ${query.message}`);
    const endpoints =
      options.includeLive || (options.kind !== undefined && kindOfWord(options.kind) === 'workloadEndpoint');
    const request: ListRequest = { concerns: query.concerns, endpoints, limit: most, format: output };
    const history = await openHistory(services);
    return await failingAs({ prefix: 'Failed to read the history', out }, async () =>
      one === undefined
        ? await listRevisions(history, request, services)
        : await showRevision(history, { revision: one, format: output }, services),
    );
  },
});
