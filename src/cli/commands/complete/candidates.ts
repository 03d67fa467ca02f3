import { kindOfWord, kinds } from '../../../resources/index.js';
import type { Command, CommandEntry, CommandServices } from '../../command.js';
import { parseGrammar } from '../../grammar/index.js';
import type { Grammar } from '../../grammar/index.js';
import { schemaOf } from '../../schema-fields.js';
import type { SchemaField } from '../../schema-fields.js';
import { configOptions } from '../config/options.js';
import { liveNames, liveRevisions } from './live-names.js';

/** The word is the name of a file: the shell knows better. */
export const FILES = 'files';

type Candidates = readonly string[] | typeof FILES;
type Option = Grammar['options'][number];
const LOG_LEVELS = ['panic', 'fatal', 'error', 'warn', 'info', 'debug'];

type Services = Pick<CommandServices, 'client' | 'datastore' | 'author' | 'clock' | 'commands'>;

/** The words of a command line behind its command, sorted into what they are. */
interface Typed {
  readonly positionals: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  /** the option whose value the current word is */
  readonly pending: Option | undefined;
}

function optionOf(word: string, { options }: Grammar): Option | undefined {
  return options.find(({ name, short }) => name === word || short === word);
}

/** bash parts `--output=json` into three words, and so `=` may be the current one. */
function readTyped(words: readonly string[], current: string, grammar: Grammar): Typed {
  const positionals: string[] = [];
  const values = new Map<string, string>();
  const attached = /^(--[\w-]+)=/.exec(current)?.[1];
  let pending: Option | undefined;
  for (const word of words) {
    if (word === '=') continue;
    if (pending !== undefined) {
      values.set(pending.name, word);
      pending = undefined;
      continue;
    }
    const equals = /^(--[\w-]+)=([^]*)$/.exec(word);
    if (equals !== null) values.set(equals[1] ?? '', equals[2] ?? '');
    else if (!word.startsWith('-') || word === '-') positionals.push(word);
    else {
      const option = optionOf(word, grammar);
      if (option?.takesValue === true) pending = option;
    }
  }
  return { positionals, values, pending: attached === undefined ? pending : optionOf(attached, grammar) };
}

/** The formats that a help text lists behind "One of:". */
function formatsIn(help: string, option: string): readonly string[] {
  const start = help.indexOf(`${option}=<`);
  const listed = /One of:([^[]*)/.exec(start < 0 ? '' : help.slice(start))?.[1] ?? '';
  return listed
    .replaceAll(/\([^)]*\)|\.\.\.|\s+/g, ' ')
    .split(/,\s*|\.\s/)
    .map(word => word.trim())
    .filter(word => /^[\w=-]+$/.test(word));
}

async function valuesFor(option: Option, { help }: Command, services: Services): Promise<Candidates> {
  switch (option.name) {
    case '--filename':
    case '--config':
    case '--log-dir':
      return FILES;
    case '--node':
      return await liveNames('node', undefined, services);
    case '--scope':
      return ['global', 'node'];
    case '--output':
      return formatsIn(help, '--output');
    case '--raw':
      return ['bgp', 'felix'];
    case '--backend':
      return ['bird', 'gobgp', 'none'];
    case '--revision':
    case '--from':
    case '--to':
      return await liveRevisions(services);
    default:
      return [];
  }
}

function fieldPaths(field: SchemaField, prefix: string): readonly string[] {
  const path = prefix === '' ? field.name : `${prefix}.${field.name}`;
  return [path, ...field.fields.flatMap(each => fieldPaths(each, path))];
}

function configNames(): readonly string[] {
  return configOptions.map(({ name }) => name);
}

function valuesOfConfig(name = ''): readonly string[] {
  return configOptions.find(each => each.name.toLowerCase() === name.toLowerCase())?.values ?? [];
}

async function positional(
  command: Command,
  { positionals, values }: Typed,
  services: Services,
): Promise<Candidates> {
  const [first] = positionals;
  switch (command.path.join(' ')) {
    case 'get':
    case 'delete':
    case 'history': {
      const isHistory = command.path[0] === 'history';
      if (first === undefined) return isHistory ? [...kinds, 'config'] : kinds;
      if (isHistory && first === 'config') return positionals.length === 1 ? configNames() : [];
      const kind = kindOfWord(first);
      return kind === undefined || positionals.length > 1
        ? []
        : await liveNames(kind, values.get('--node'), services);
    }
    case 'explain':
      return first === undefined ? kinds.flatMap(kind => fieldPaths(schemaOf(kind), '')) : [];
    case 'completion':
      return first === undefined ? ['bash', 'zsh', 'fish'] : [];
    case 'config':
      if (first === undefined) return ['get', 'set', 'unset'];
      if (positionals.length === 1) return configNames();
      return first === 'set' && positionals.length === 2 ? valuesOfConfig(positionals[1]) : [];
    case 'why':
      return positionals.length < 2 ? await liveNames('workloadEndpoint', undefined, services) : [];
    default:
      return [];
  }
}

/** What stands behind `calicoctl` before the command: options of the program, and their values. */
function withoutGlobalOptions(words: readonly string[]): readonly string[] {
  let start = 0;
  while (words[start]?.startsWith('-') === true)
    start += words[start] === '-l' || words[start] === '--log-level' ? 2 : 1;
  return words.slice(start);
}

function isBelow(entry: CommandEntry, words: readonly string[]): boolean {
  return entry.path.length > words.length && words.every((word, index) => entry.path[index] === word);
}

/** What the current word of a command line may be, whatever of it is typed already. */
export async function candidates(
  typedWords: readonly string[],
  current: string,
  services: Services,
): Promise<Candidates> {
  const before = typedWords.at(-1);
  const words = withoutGlobalOptions(typedWords);
  if (words.length === 0 && (before === '-l' || before === '--log-level')) return LOG_LEVELS;
  if (words.length === 0 && current.startsWith('-')) return ['--help', '--log-level', '--version'];
  const entry = services.commands.find(({ path }) => path.every((word, index) => words[index] === word));
  if (entry === undefined) {
    const next = services.commands
      .filter(each => isBelow(each, words))
      .map(({ path }) => path[words.length] ?? '');
    return next.filter(word => !word.startsWith('_'));
  }
  const command = await entry.load();
  const grammar = parseGrammar(command.help, command.path);
  const typed = readTyped(words.slice(entry.path.length), current, grammar);
  if (typed.pending !== undefined) return await valuesFor(typed.pending, command, services);
  if (current.startsWith('-')) return [...grammar.options.map(({ name }) => name), '--help'];
  return await positional(command, typed, services);
}
