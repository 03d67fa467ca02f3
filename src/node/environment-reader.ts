import type { Issue } from '../base/index.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads variables and collects what is wrong with them, so that all of it can be told at once. */
export class EnvironmentReader {
  readonly issues: Issue[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The first of the names that is set and not empty. */
  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.#env[name];
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  }

  /** Parsed by `parse`, which answers undefined for what it does not accept. */
  parsed<T>(name: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const result = parse(value);
    if (result === undefined) this.issues.push({ path: name, value, expected });
    return result;
  }

  choice<T extends string>(
    name: string,
    choices: readonly T[],
    normalise: (text: string) => string,
  ): T | undefined {
    return this.parsed(name, `one of ${choices.join(', ')}`, text =>
      choices.find(choice => choice === normalise(text)),
    );
  }

  /** `true` or `false`, in any case. */
  flag(name: string): boolean | undefined {
    const word = this.choice(name, ['true', 'false'], text => text.toLowerCase());
    return word === undefined ? undefined : word === 'true';
  }
}
