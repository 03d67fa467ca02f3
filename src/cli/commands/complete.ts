import { defineCommand, list, text } from '../command.js';
import { completeHelp } from '../help/completion.js';
import { FILES, candidates } from './complete/candidates.js';

/** What a shell can insert without quotes; anything else would be taken apart by it. */
const PLAIN = /^[A-Za-z0-9_.:/@%+=,-]+$/;

export const completeCommand = defineCommand({
  path: ['__complete'],
  help: completeHelp,
  options: { words: list('<WORD>'), config: text('--config') },
  run: async ({ options, out, ...services }) => {
    const current = options.words.at(-1) ?? '';
    const found = await candidates(options.words.slice(0, -1), current, services);
    if (found === FILES) {
      out.line(':files');
      return 0;
    }
    // Behind `--output=` a shell that does not part words at `=` wants the whole of it.
    const start = /^--[\w-]+=/.exec(current)?.[0] ?? '';
    const typed = current === '=' ? '' : current.slice(start.length);
    const fitting = found.filter(each => each.startsWith(typed) && PLAIN.test(each));
    for (const each of new Set(fitting)) out.line(`${start}${each}`);
    return 0;
  },
});
