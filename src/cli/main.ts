import { buildInfo, isCalicoError, messageOf, nearestWord } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Author, ResourceClient } from '../datastore/index.js';
import type { Command, CommandEntry, CommandGroup, CommandServices, Datastore, ExitCode } from './command.js';
import { commandEntries, commandGroups } from './commands/index.js';
import { parseArguments, parseGrammar, usageSection } from './grammar/index.js';
import type { ArgumentValues } from './grammar/index.js';
import { topLevelHelp, topLevelHelpWith } from './help/top-level.js';
import { commandLine } from './command-line-text.js';
import { visible } from './output/index.js';
import type { Output } from './output/index.js';

export interface MainOptions {
  /** without the program's own name */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly clock: Clock;
  /** who runs the program, and on which host: for the history */
  readonly whoami: () => Pick<Author, 'user' | 'host'>;
  /** whether standard output (1) or standard error (2) is a terminal */
  readonly isTerminal: (descriptor: 1 | 2) => boolean;
  /** takes interrupts over from the system, from the first call on */
  readonly interrupted: () => AbortSignal;
  readonly nodeProgram: string;
  /** commands of other front ends, put together by the executable */
  readonly commands?: readonly CommandEntry[];
  readonly groups?: readonly CommandGroup[];
}

const LOG_LEVELS = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug'];

/** Runs one command line to its end; the caller makes the result the exit code. */
export async function main(options: MainOptions): Promise<ExitCode> {
  const { argv, out, err } = options;
  const [word = '-', ...args] = argv;
  // What nearly always is: no option before the command. Reading the help text takes longer than a command may.
  if (!word.startsWith('-')) return await runWord(word, args, options);
  const parsed = parseArguments(parseGrammar(topLevelHelp, []), argv, { optionsFirst: true });
  if (parsed.kind === 'help') return show(out, helpOf(options));
  if (parsed.kind === 'usage-error') {
    if (argv[0] === '--version') return showVersion(out);
    err.text(usageError(topLevelHelp, parsed.complaint));
    return 1;
  }
  const level = textOf(parsed.values, '--log-level');
  if (!LOG_LEVELS.includes(level.toLowerCase())) {
    out.line(`Unknown log level: ${visible(level)}, expected one of: `);
    out.line('panic, fatal, error, warn, info, debug.');
    return 1;
  }
  const rest = (parsed.values.get('<args>') ?? []).filter(value => value !== true);
  return await runWord(textOf(parsed.values, '<command>'), rest, options);
}

async function runWord(word: string, args: readonly string[], options: MainOptions): Promise<ExitCode> {
  const group = [...commandGroups, ...(options.groups ?? [])].find(({ name }) => name === word);
  return group === undefined ? await runNamed([word], args, options) : await runInGroup(group, args, options);
}

function entriesOf(options: MainOptions): readonly CommandEntry[] {
  return [...commandEntries, ...(options.commands ?? [])];
}

function helpOf(options: MainOptions): string {
  const added = [...entriesOf(options), ...(options.groups ?? [])].flatMap(item =>
    item.summary === undefined
      ? []
      : [{ name: 'name' in item ? item.name : item.path.join(' '), summary: item.summary }],
  );
  return topLevelHelpWith(added);
}

function textOf(values: ArgumentValues, name: string): string {
  const value = values.get(name)?.[0];
  return typeof value === 'string' ? value : '';
}

function show(out: Output, text: string): ExitCode {
  out.text(text);
  return 0;
}

function showVersion(out: Output): ExitCode {
  const { version, gitCommit } = buildInfo();
  out.line(`calicoctl version ${version}, build ${gitCommit}`);
  return 0;
}

function usageError(help: string, complaint: string | undefined): string {
  return `${complaint === undefined ? '' : `${visible(complaint)}\n`}${usageSection(help)}\n`;
}

/** What the original says on standard output beside the usage section on standard error. */
function refuse(
  help: string,
  words: readonly string[],
  complaint: string | undefined,
  { out, err }: MainOptions,
): ExitCode {
  err.text(usageError(help, complaint));
  const typed = visible(words.join(' '));
  out.line(`Invalid option: 'calicoctl ${typed}'. Use flag '--help' to read about a specific subcommand.`);
  return 1;
}

async function runInGroup(
  group: CommandGroup,
  args: readonly string[],
  options: MainOptions,
): Promise<ExitCode> {
  const help = await group.loadHelp();
  const parsed = parseArguments(parseGrammar(help, [group.name]), args, { optionsFirst: true });
  if (parsed.kind === 'help') return show(options.out, help);
  if (parsed.kind === 'usage-error') return refuse(help, [group.name, ...args], parsed.complaint, options);
  const word = textOf(parsed.values, '<command>');
  const path = [group.name, word];
  const words = entriesOf(options).flatMap(entry =>
    entry.path[0] === group.name ? entry.path.slice(1) : [],
  );
  if (!words.includes(word)) {
    const meant = nearestWord(word, words);
    if (meant !== undefined) options.err.line(`Did you mean "${group.name} ${meant}"?`);
    options.out.text(help);
    return 1;
  }
  return await runNamed(path, args.slice(1), options);
}

async function runNamed(
  path: readonly string[],
  args: readonly string[],
  options: MainOptions,
): Promise<ExitCode> {
  const entries = entriesOf(options);
  const entry = entries.find(candidate => candidate.path.join(' ') === path.join(' '));
  if (entry === undefined) {
    const word = path.join(' ');
    const words = [
      ...entries.map(({ path: [first = ''] }) => first),
      ...(options.groups ?? []).map(({ name }) => name),
    ];
    const meant = nearestWord(
      word,
      words.filter(each => !each.startsWith('_')),
    );
    options.err.line(`Unknown command: "${visible(word)}"`);
    if (meant !== undefined) options.err.line(`Did you mean "${meant}"?`);
    options.out.text(helpOf(options));
    return 1;
  }
  const command = await entry.load();
  const parsed = parseArguments(parseGrammar(command.help, command.path), args);
  if (parsed.kind === 'help') return show(options.out, command.help);
  if (parsed.kind === 'usage-error') {
    refuse(command.help, [...path, ...args], parsed.complaint, options);
    return command.failure;
  }
  return await runCommand(command, parsed.values, options);
}

/** Gives the command its services, prints what it could not handle, and closes the datastore it opened. */
async function runCommand(command: Command, values: ArgumentValues, options: MainOptions): Promise<ExitCode> {
  const { out, err, env, stdin, clock, isTerminal, interrupted } = options;
  let opened: Datastore | undefined;
  const author = (): Author => ({
    command: commandLine(options.argv, { command: command.path, values }),
    ...options.whoami(),
  });
  const datastore = async (): Promise<Datastore> => {
    if (opened !== undefined) return opened;
    const { connect } = await import('./connect.js');
    opened = await connect({ env, configFile: textOf(values, '--config') }, author);
    return opened;
  };
  const client = async (): Promise<ResourceClient> => {
    try {
      return (await datastore()).client;
    } catch (error) {
      throw (await import('./connect.js')).connectionFailure(error);
    }
  };
  try {
    return await command.run(values, {
      out,
      err,
      env,
      stdin,
      clock,
      author,
      datastore,
      client,
      interrupted,
      commands: entriesOf(options),
      nodeProgram: options.nodeProgram,
      colour: () => (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' && isTerminal(1),
      progress: progressLine(err, isTerminal),
    });
  } catch (error) {
    if (isCalicoError(error)) out.line(visible(messageOf(error)));
    else err.line(`calicoctl: internal error, please report it: ${detailOf(error)}`);
    return command.failure;
  } finally {
    await opened?.store.close();
  }
}

/** With the places where it happened; without the line of code that Node would print, of thousands of characters. */
function detailOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}

/** Writes over the line before; what was shown is taken away at the end. */
function progressLine(err: Output, isTerminal: MainOptions['isTerminal']): CommandServices['progress'] {
  let shown: boolean | undefined;
  return text => {
    shown ??= isTerminal(2);
    if (shown) err.text(`\r\u001b[K${text ?? ''}`);
  };
}
