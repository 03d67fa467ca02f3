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

/** `-f --filename=<FILENAME>  Text [default: x]`: one description, with the lines that continue it. */
function parseOptionDescription(text: string): OptionSyntax {
  const trimmed = text.trimStart();
  const gap = trimmed.search(/ {2}|\n/);
  const forms = gap < 0 ? trimmed : trimmed.slice(0, gap);
  const preset = /\[default: (.*?)\]/is.exec(gap < 0 ? '' : trimmed.slice(gap))?.[1];
  const names = forms.replaceAll(/=(?:<[^>]*>|\([^)]*\))/g, '=').match(/--?[\w-]+/g) ?? [];
  const short = names.find(name => !name.startsWith('--'));
  const name = names.find(candidate => candidate.startsWith('--')) ?? short ?? '';
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

/** Options that the usage section names and the `Options:` section does not describe. */
function undescribedOptions(usage: string, described: readonly OptionSyntax[]): readonly OptionSyntax[] {
  const found = new Map<string, OptionSyntax>();
  for (const [, name = '', equals] of usage.matchAll(/(--[\w-]+)(=)?/g)) {
    if (!described.some(option => option.name === name))
      found.set(name, { name, takesValue: equals === '=' });
  }
  return [...found.values()];
}

/**
 * Reads the grammar out of a help text. Each usage line begins with the program name and the `path` of the
 * command; those words are not part of the pattern.
 */
export function parseGrammar(help: string, path: readonly string[]): Grammar {
  const usage = usageSection(help);
  const described = describedOptions(help);
  const options = [...described, ...undescribedOptions(usage, described)];
  const start = ['calicoctl', ...path].join(' ');
  const lines = usage.replace(/^usage:/i, '').split(new RegExp(`\\n\\s*${start}(?=\\s|$)`));
  const items = lines.slice(1).map(line => parseUsagePattern(line, options));
  const [only] = items;
  return { pattern: items.length === 1 && only !== undefined ? only : { kind: 'choice', items }, options };
}
