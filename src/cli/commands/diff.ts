import { identify } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { defineCommand, flag, list, text } from '../command.js';
import type { CommandServices, ExitCode } from '../command.js';
import { diffHelp } from '../help/review.js';
import { readManifests } from '../manifests/index.js';
import { visible } from '../output/index.js';
import { resourceName } from '../resource-name.js';
import { saysTheSame } from '../same-resource.js';
import { failingAs } from './failing-as.js';
import { coloured, differenceLines, linesOf, unifiedLines } from './revisions/difference-lines.js';
import { badRevision, openHistory, parseRevision } from './revisions/open-history.js';
import { storedResources } from './stored-resources.js';

const SAME = 0;
const DIFFERENT = 1;
const TROUBLE = 2;

/** The lines by which a stored resource differs from what it is to become; none when it does not. */
function differences(stored: Resource | undefined, wanted: Resource): readonly string[] {
  if (stored !== undefined && saysTheSame(stored, wanted)) return [];
  const name = resourceName(wanted);
  return unifiedLines(
    { label: `stored/${name}`, lines: linesOf(stored) },
    { label: `files/${name}`, lines: linesOf(wanted) },
  );
}

/** Prints the lines; 1 when there are any. */
function show(lines: readonly string[], { out, colour }: Pick<CommandServices, 'out' | 'colour'>): ExitCode {
  const paint = lines.length > 0 && colour();
  out.text(lines.map(line => `${paint ? coloured(line) : line}\n`).join(''));
  return lines.length === 0 ? SAME : DIFFERENT;
}

async function compareFiles(
  files: { readonly filenames: readonly string[]; readonly recursive: boolean },
  services: CommandServices,
): Promise<ExitCode> {
  const { out, stdin, client } = services;
  const manifests = await readManifests({ ...files, stdin });
  if (!manifests.ok) {
    out.line(`Failed to execute command: ${manifests.message}`);
    return TROUBLE;
  }
  const open = await client();
  return await failingAs({ prefix: 'Failed to get resources', out, code: TROUBLE }, async () => {
    const stored = await storedResources(open, manifests.resources);
    return show(
      manifests.resources.flatMap(each => differences(stored.get(identify(each)), each)),
      services,
    );
  });
}

async function compareRevisions(
  { from, to }: { readonly from: string; readonly to: string | undefined },
  services: CommandServices,
): Promise<ExitCode> {
  const { out } = services;
  const numbers = { '--from': parseRevision(from), '--to': to === undefined ? undefined : parseRevision(to) };
  const bad = numbers['--from'] === undefined ? '--from' : '--to';
  const first = numbers['--from'];
  if (first === undefined || (to !== undefined && numbers['--to'] === undefined)) {
    out.line(visible(badRevision(bad, bad === '--from' ? from : (to ?? ''))));
    return TROUBLE;
  }
  const history = await openHistory(services);
  return await failingAs({ prefix: 'Failed to read the history', out, code: TROUBLE }, async () => {
    const found = await history.differences(first, numbers['--to']);
    const labels = { from: String(first), to: to === undefined ? 'now' : String(numbers['--to']) };
    return show(
      found.flatMap(each => differenceLines(each, labels)),
      services,
    );
  });
}

export const diffCommand = defineCommand({
  path: ['diff'],
  help: diffHelp,
  failure: TROUBLE,
  options: {
    filenames: list('--filename'),
    recursive: flag('--recursive'),
    from: text('--from'),
    to: text('--to'),
    config: text('--config'),
  },
  run: async ({ options, ...services }) => {
    const { from, to } = options;
    return from === undefined
      ? await compareFiles(options, services)
      : await compareRevisions({ from, to }, services);
  },
});
