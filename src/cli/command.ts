import type { Clock } from '../base/index.js';
import type { Author, ResourceClient, Store } from '../datastore/index.js';
import type { ArgumentValues } from './grammar/index.js';
import type { Output } from './output/index.js';

/** 0 for success, 1 for every failure; only a command that runs another program passes on what that said. */
export type ExitCode = number;

/** How a command takes one name of its usage section. */
export type OptionKind =
  /** its value; undefined when it is absent or blank */
  | 'text'
  /** its value where the user typed it; undefined for the default of the usage section */
  | 'typed'
  /** its value; the usage section guarantees it */
  | 'required'
  /** true when it was given */
  | 'flag'
  /** all values of a name that may repeat */
  | 'list';

export interface OptionDefinition<K extends OptionKind = OptionKind> {
  readonly kind: K;
  /** as the usage section writes it: `--filename`, `<KIND>`, or a word */
  readonly name: string;
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>;

interface ValueOfKind {
  readonly text: string | undefined;
  readonly typed: string | undefined;
  readonly required: string;
  readonly flag: boolean;
  readonly list: readonly string[];
}

/** What the handler receives for its definitions. */
export type OptionValues<D extends OptionDefinitions> = {
  readonly [N in keyof D]: ValueOfKind[D[N]['kind']];
};

export const text = (name: string): OptionDefinition<'text'> => ({ kind: 'text', name });
export const typed = (name: string): OptionDefinition<'typed'> => ({ kind: 'typed', name });
export const required = (name: string): OptionDefinition<'required'> => ({ kind: 'required', name });
export const flag = (name: string): OptionDefinition<'flag'> => ({ kind: 'flag', name });
export const list = (name: string): OptionDefinition<'list'> => ({ kind: 'list', name });

/** The open datastore: as resources, and as the keys that the address manager works on. */
export interface Datastore {
  readonly client: ResourceClient;
  readonly store: Store;
}

/** Everything a command may touch; given by `main`. */
export interface CommandServices {
  /** results and error messages: standard output */
  readonly out: Output;
  /** usage errors only: standard error */
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly clock: Clock;
  /** the command line and who typed it, as the history keeps them */
  readonly author: () => Author;
  /** Whether what is printed may be coloured: standard output is a terminal, and NO_COLOR is not set. */
  readonly colour: () => boolean;
  /** the executable of the agent that belongs to this program */
  readonly nodeProgram: string;
  /** every command of the program, those of other front ends included */
  readonly commands: readonly CommandEntry[];
  /** Shows how far long work is, on a terminal only; undefined takes the line away. */
  readonly progress: (text: string | undefined) => void;
  /** Aborted when the user interrupts the program; it then ends when its command does. */
  readonly interrupted: () => AbortSignal;
  /** Opens the datastore at the first call; `main` closes it after the command. */
  readonly datastore: () => Promise<Datastore>;
  /** Its resources; a failure to open it says so in the words of the commands for resources. */
  readonly client: () => Promise<ResourceClient>;
}

export interface CommandContext<D extends OptionDefinitions> extends CommandServices {
  readonly options: OptionValues<D>;
}

export interface CommandDefinition<D extends OptionDefinitions> {
  /** the words behind `calicoctl` */
  readonly path: readonly string[];
  /** the exact help text; its `Usage:` and `Options:` sections are the grammar */
  readonly help: string;
  readonly options: D;
  /** the exit code of every failure, where 1 has a meaning of its own */
  readonly failure?: ExitCode;
  readonly run: (context: CommandContext<D>) => Promise<ExitCode> | ExitCode;
}

/** A command whose option types are sealed in. */
export interface Command {
  readonly path: readonly string[];
  readonly help: string;
  readonly options: OptionDefinitions;
  readonly failure: ExitCode;
  readonly run: (values: ArgumentValues, services: CommandServices) => Promise<ExitCode>;
}

/** How the command table names a command before its module is loaded. */
export interface CommandEntry {
  readonly path: readonly string[];
  /** for the list of added commands in the top-level help; absent for those of the original's text */
  readonly summary?: string;
  readonly load: () => Promise<Command>;
}

/** A first word with commands below it: `ipam`. */
export interface CommandGroup {
  readonly name: string;
  /** as for CommandEntry */
  readonly summary?: string;
  readonly loadHelp: () => Promise<string>;
}

function valueOf(definition: OptionDefinition, values: ArgumentValues): ValueOfKind[OptionKind] {
  const given = values.get(definition.name) ?? [];
  const texts = given.filter(value => value !== true);
  switch (definition.kind) {
    case 'flag':
      return given.length > 0;
    case 'list':
      return texts;
    case 'required':
      return texts[0] ?? '';
    case 'typed':
      return given.includes(true) || texts[0] === '' ? undefined : texts[0];
    case 'text':
      break;
  }
  return texts[0] === '' ? undefined : texts[0];
}

/** Seals a definition: the result takes parsed arguments and hands typed options to `run`. */
export function defineCommand<const D extends OptionDefinitions>(definition: CommandDefinition<D>): Command {
  const { path, help, options, run, failure = 1 } = definition;
  return {
    path,
    help,
    options,
    failure,
    run: async (values, services) => {
      const entries = Object.entries(options).map(([key, option]) => [key, valueOf(option, values)]);
      // Each key's value was made from its own definition, so the record has the mapped type.
      const taken = Object.fromEntries(entries) as OptionValues<D>;
      return await run({ ...services, options: taken });
    },
  };
}
