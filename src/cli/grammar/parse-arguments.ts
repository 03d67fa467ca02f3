import { nearestWord } from '../../base/index.js';
import { readCommandLine } from './command-line.js';
import type { Given } from './command-line.js';
import { matchPattern } from './match.js';
import type { Grammar } from './usage-text.js';

/**
 * What the user gave, by the names of the usage section. A name that may repeat has several values; a default that
 * stands for what was not typed is followed by `true`.
 */
export type ArgumentValues = ReadonlyMap<string, readonly (string | true)[]>;

export type ParsedArguments =
  | { readonly kind: 'values'; readonly values: ArgumentValues }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly complaint?: string };

export interface ParseOptions {
  readonly optionsFirst?: boolean;
}

/** A usage error; docopt has no word for an unknown option, but a mistyped one is worth a hint. */
function misfit(given: readonly Given[], { options }: Grammar): ParsedArguments {
  const names = options.map(({ name }) => name);
  for (const each of given) {
    if (each.kind !== 'option' || names.includes(each.name) || !each.name.startsWith('--')) continue;
    const meant = nearestWord(each.name, [...names, '--help']);
    if (meant !== undefined)
      return { kind: 'usage-error', complaint: `${each.name} is no option; did you mean ${meant}?` };
  }
  return { kind: 'usage-error' };
}

/** Parses arguments by a grammar; `--help` wins over everything but a malformed option. */
export function parseArguments(
  grammar: Grammar,
  args: readonly string[],
  { optionsFirst = false }: ParseOptions = {},
): ParsedArguments {
  const line = readCommandLine(args, { options: grammar.options, optionsFirst });
  if (line.kind === 'malformed') return { kind: 'usage-error', complaint: line.complaint };
  const asksHelp = line.given.some(
    given => given.kind === 'option' && given.name === '--help' && given.value === true,
  );
  if (asksHelp) return { kind: 'help' };

  const match = matchPattern(grammar.pattern, { left: line.given, taken: [] });
  if (match === undefined || match.left.length > 0) return misfit(line.given, grammar);
  const values = new Map<string, (string | true)[]>();
  for (const { name, value } of match.taken) values.set(name, [...(values.get(name) ?? []), value]);
  for (const option of grammar.options) {
    if (option.default !== undefined && !values.has(option.name))
      values.set(option.name, [option.default, true]);
  }
  return { kind: 'values', values };
}
