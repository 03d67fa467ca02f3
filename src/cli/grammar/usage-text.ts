import { parseUsagePattern } from './usage-pattern.js';
import type { OptionSyntax, UsagePattern } from './usage-pattern.js';

/** What a help text says about the command line: the help text is the grammar. */
export interface Grammar {
  readonly pattern: UsagePattern;
  readonly options: readonly OptionSyntax[];
}

/** The `Usage:` section of a help text: from that word to the next empty line. */
export function usageSection(help: string): string {
  return /^usage:.*(?:\n.*\S.*)*/im.exec(help)?.[0] ?? '';
}

/** What stands in `[default: x]`. */
function defaultIn(text: string): string | undefined {
  const mark = '[default: ';
  const start = text.toLowerCase().indexOf(mark);
  return start < 0 ? undefined : text.slice(start + mark.length, text.indexOf(']', start));
}

/** `-f --filename=<FILENAME>  Text [default: x]`: one description, with the lines that continue it. */
function parseOptionDescription(text: string): OptionSyntax {
  const trimmed = text.trimStart();
  const ends = ['  ', '\n'].map(end => trimmed.indexOf(end)).filter(at => at >= 0);
  const gap = Math.min(trimmed.length, ...ends);
  const forms = trimmed.slice(0, gap);
  const names = forms.split(' ').flatMap(word => (word.startsWith('-') ? word.split('=', 1) : []));
  const short = names.find(name => !name.startsWith('--'));
  const name = names.find(candidate => candidate.startsWith('--')) ?? short ?? '';
  const preset = defaultIn(trimmed.slice(gap));
  return {
    name,
    ...(short === undefined ? {} : { short }),
    takesValue: forms.includes('='),
    ...(preset === undefined ? {} : { default: preset }),
  };
}

function describedOptions(help: string): readonly OptionSyntax[] {
  const section = /^options:\s*\n((?:(?:[ \t].*)?\n)*)/im.exec(`${help}\n`)?.[1] ?? '';
  return section
    .split(/\n(?=[ \t]*-)/)
    .filter(part => part.trimStart().startsWith('-'))
    .map(parseOptionDescription);
}

/**
 * Reads the grammar out of a help text. Each usage line begins with the program name and the `path` of the
 * command; those words are not part of the pattern.
 */
export function parseGrammar(help: string, path: readonly string[]): Grammar {
  const usage = usageSection(help);
  // What only the usage section names is added as it is read.
  const options = [...describedOptions(help)];
  const start = ['calicoctl', ...path].join(' ');
  const lines = usage.replace(/^usage:/i, '').split(new RegExp(`\\n\\s*${start}(?=\\s|$)`));
  const items = lines.slice(1).map(line => parseUsagePattern(line, options));
  const [only] = items;
  return { pattern: items.length === 1 && only !== undefined ? only : { kind: 'choice', items }, options };
}
