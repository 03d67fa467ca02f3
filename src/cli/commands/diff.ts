import { isCalicoError } from '../../base/index.js';
import { identify, toJson } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { defineCommand, flag, list, text } from '../command.js';
import { diffHelp } from '../help/review.js';
import { readManifests } from '../manifests/index.js';
import { formatYaml, unifiedDiff, visible } from '../output/index.js';
import { resourceName } from '../resource-name.js';
import { saysTheSame } from '../same-resource.js';
import { storedResources } from './stored-resources.js';

const SAME = 0;
const DIFFERENT = 1;
const TROUBLE = 2;

function linesOf(resource: Resource | undefined): readonly string[] {
  return resource === undefined ? [] : formatYaml(toJson(resource)).trimEnd().split('\n');
}

/** The lines by which a stored resource differs from what it is to become; none when it does not. */
function differences(stored: Resource | undefined, wanted: Resource): readonly string[] {
  if (stored !== undefined && saysTheSame(stored, wanted)) return [];
  const name = visible(resourceName(wanted));
  const before = stored === undefined ? '/dev/null' : `stored/${name}`;
  return [
    `--- ${before}`,
    `+++ files/${name}`,
    ...unifiedDiff(linesOf(stored), linesOf(wanted)).map(visible),
  ];
}

/** Bold headers, red what goes, green what comes. */
function coloured(line: string): string {
  const codes: readonly (readonly [string, string])[] = [
    ['---', '1'],
    ['+++', '1'],
    ['@@', '36'],
    ['-', '31'],
    ['+', '32'],
  ];
  const code = codes.find(([start]) => line.startsWith(start))?.[1];
  return code === undefined ? line : `\u001b[${code}m${line}\u001b[0m`;
}

export const diffCommand = defineCommand({
  path: ['diff'],
  help: diffHelp,
  failure: TROUBLE,
  options: { filenames: list('--filename'), recursive: flag('--recursive'), config: text('--config') },
  run: async ({ options, out, stdin, client, colour }) => {
    const manifests = await readManifests({ ...options, stdin });
    if (!manifests.ok) {
      out.line(`Failed to execute command: ${manifests.message}`);
      return TROUBLE;
    }
    const open = await client();
    try {
      const stored = await storedResources(open, manifests.resources);
      const lines = manifests.resources.flatMap(each => differences(stored.get(identify(each)), each));
      const paint = lines.length > 0 && colour();
      out.text(lines.map(line => `${paint ? coloured(line) : line}\n`).join(''));
      return lines.length === 0 ? SAME : DIFFERENT;
    } catch (error) {
      if (!isCalicoError(error)) throw error;
      out.line(`Failed to get resources: ${visible(error.message)}`);
      return TROUBLE;
    }
  },
});
