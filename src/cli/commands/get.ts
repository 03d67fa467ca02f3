import { defineCommand, flag, list, text } from '../command.js';
import type { CommandServices, ExitCode } from '../command.js';
import { getHelp } from '../help/get.js';
import { visible } from '../output/index.js';
import { labelFilter, queriesOfFiles } from './get/queries.js';
import { show } from './get/show.js';
import type { ShowRequest } from './get/show.js';
import { namedOptionDefinitions, readNamedResource } from './named-resource.js';
import { parseOutputFormat } from './print-answers.js';

async function answer(request: ShowRequest, isWatch: boolean, services: CommandServices): Promise<ExitCode> {
  if (!isWatch) return await show(request, services);
  const { watch } = await import('./get/watch.js');
  return await watch(request, services);
}

export const getCommand = defineCommand({
  path: ['get'],
  help: getHelp,
  options: {
    ...namedOptionDefinitions,
    filenames: list('--filename'),
    recursive: flag('--recursive'),
    selector: text('--selector'),
    output: text('--output'),
    watch: flag('--watch'),
    config: text('--config'),
  },
  run: async ({ options, ...services }) => {
    const { kind, output = '', selector, watch } = options;
    const { out } = services;
    const parsed = parseOutputFormat(output);
    if (!parsed.ok) {
      out.line(visible(parsed.message));
      return 1;
    }
    const { format } = parsed;
    const filter = labelFilter(selector);
    if (!filter.ok) {
      out.line(`Failed to get resources: ${filter.message}`);
      return 1;
    }
    const { isWanted } = filter;
    if (kind === undefined) {
      const read = await queriesOfFiles(options, services);
      if (read.ok) return await answer({ queries: read.queries, isWanted, format }, watch, services);
      out.line(read.message);
      return 1;
    }
    const named = readNamedResource({ ...options, kind });
    if (named.ok) return await answer({ queries: [named], isWanted, format }, watch, services);
    out.line(`Failed to get resources: ${named.message}`);
    return 1;
  },
});
