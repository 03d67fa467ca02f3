import type { OptionSyntax } from './usage-pattern.js';

/** One thing that was typed: an option under its canonical name, or a positional. */
export type Given =
  | { readonly kind: 'option'; readonly name: string; readonly value: string | true }
  | { readonly kind: 'argument'; readonly value: string };

export type CommandLine =
  | { readonly kind: 'given'; readonly given: readonly Given[] }
  /** the complaint as docopt words it; an option is spelled as it was typed */
  | { readonly kind: 'malformed'; readonly complaint: string };

export interface CommandLineRules {
  readonly options: readonly OptionSyntax[];
  /** everything from the first positional on is positional: for a word that is followed by another grammar */
  readonly optionsFirst?: boolean;
}

const HELP: OptionSyntax = { name: '--help', short: '-h', takesValue: false };

class CommandLineReader {
  readonly #args: readonly string[];
  readonly #options: readonly OptionSyntax[];
  readonly given: Given[] = [];
  #position = 0;
  complaint: string | undefined;

  constructor(args: readonly string[], options: readonly OptionSyntax[]) {
    this.#args = args;
    this.#options = options.some(option => option.name === HELP.name) ? options : [...options, HELP];
  }

  read(optionsFirst: boolean): void {
    while (this.#position < this.#args.length && this.complaint === undefined) {
      const token = this.#args[this.#position++] ?? '';
      if (token === '--') return this.#rest();
      if (token.startsWith('--')) this.#long(token);
      else if (token.startsWith('-') && token !== '-') this.#short(token);
      else {
        this.given.push({ kind: 'argument', value: token });
        if (optionsFirst) return this.#rest();
      }
    }
  }

  #rest(): void {
    for (const value of this.#args.slice(this.#position)) this.given.push({ kind: 'argument', value });
  }

  #long(token: string): void {
    const equals = token.indexOf('=');
    const typed = equals < 0 ? token : token.slice(0, equals);
    const attached = equals < 0 ? undefined : token.slice(equals + 1);
    const exact = this.#options.filter(({ name }) => name === typed);
    const candidates = exact.length > 0 ? exact : this.#options.filter(({ name }) => name.startsWith(typed));
    const [option] = candidates;
    if (candidates.length > 1) {
      this.complaint = `${typed} is not a unique prefix: ${candidates.map(({ name }) => name).join(', ')}?`;
    } else if (option === undefined) {
      this.given.push({ kind: 'option', name: typed, value: attached ?? true });
    } else if (option.takesValue) {
      this.#value(option, typed, attached);
    } else if (attached === undefined) {
      this.given.push({ kind: 'option', name: option.name, value: true });
    } else {
      this.complaint = `${option.name} must not have an argument`;
    }
  }

  /** `-fx`, `-f x`, and flags in one word: `-ab`. */
  #short(token: string): void {
    for (let i = 1; i < token.length; i++) {
      const typed = `-${token.charAt(i)}`;
      const option = this.#options.find(({ short }) => short === typed);
      if (option?.takesValue === true) {
        const attached = token.slice(i + 1);
        this.#value(option, typed, attached === '' ? undefined : attached);
        return;
      }
      this.given.push({ kind: 'option', name: option?.name ?? typed, value: true });
    }
  }

  #value(option: OptionSyntax, typed: string, attached: string | undefined): void {
    const next = this.#args[this.#position];
    if (attached !== undefined) {
      this.given.push({ kind: 'option', name: option.name, value: attached });
    } else if (next === undefined || next === '--') {
      this.complaint = `${typed} requires argument`;
    } else {
      this.#position++;
      this.given.push({ kind: 'option', name: option.name, value: next });
    }
  }
}

/** Splits arguments into options and positionals (`calicoctl.md` 1.1); unknown options are kept as typed. */
export function readCommandLine(args: readonly string[], rules: CommandLineRules): CommandLine {
  const reader = new CommandLineReader(args, rules.options);
  reader.read(rules.optionsFirst ?? false);
  return reader.complaint === undefined
    ? { kind: 'given', given: reader.given }
    : { kind: 'malformed', complaint: reader.complaint };
}
