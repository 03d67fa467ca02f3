import type { ArgumentValues } from './grammar/index.js';

/** Words that a shell takes as they are. */
const PLAIN = /^[\w@%+=:,./-]+$/;

function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The command line as it could be typed again, for the history: without the value of a setting that is a
 * password.
 */
export function commandLine(
  argv: readonly string[],
  { command, values }: { readonly command: readonly string[]; readonly values: ArgumentValues },
): string {
  const names = values.get('<NAME>') ?? [];
  const secret = command[0] === 'config' && names.some(name => /password|secret/i.test(String(name)));
  const hidden = secret ? (values.get('<VALUE>') ?? []) : [];
  const words = argv.map(word => (hidden.includes(word) ? '(hidden)' : quoted(word)));
  return ['calicoctl', ...words].join(' ');
}
