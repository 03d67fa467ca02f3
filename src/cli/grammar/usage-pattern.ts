/** The shape of a command line as a usage section writes it. Options stand anywhere, the rest in order. */
export type UsagePattern =
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly UsagePattern[] }
  | { readonly kind: 'optional' | 'repeated'; readonly item: UsagePattern }
  /** canonical long form: `--filename` */
  | { readonly kind: 'option'; readonly name: string }
  /** `<KIND>` */
  | { readonly kind: 'argument'; readonly name: string }
  /** a word to be typed as it is: `set` */
  | { readonly kind: 'word'; readonly word: string };

/** An option as the `Options:` section, or failing that the usage section, describes it. */
export interface OptionSyntax {
  /** `--filename` */
  readonly name: string;
  /** `-f` */
  readonly short?: string;
  readonly takesValue: boolean;
  readonly default?: string;
}

/** Brackets, bars, dots, options with their whole placeholder, `<arguments>` and words. */
const USAGE_TOKEN = /\.\.\.|[[\]()|]|--?[\w-]+(?:=(?:<[^>]*>|\([^)]*\)))?|<[^>]*>|[^\s[\]()|]+/g;

/** `--raw=(bgp|felix)` → `--raw`; a short form is looked up in `options`, and what they lack is added. */
function optionName(token: string, options: OptionSyntax[]): string {
  const typed = token.split('=', 1)[0] ?? token;
  const known = options.find(({ name, short }) => short === typed || name === typed);
  if (known === undefined) options.push({ name: typed, takesValue: token.includes('=') });
  return known?.name ?? typed;
}

class UsageReader {
  readonly #tokens: readonly string[];
  readonly #options: OptionSyntax[];
  #position = 0;

  constructor(source: string, options: OptionSyntax[]) {
    this.#tokens = source.match(USAGE_TOKEN) ?? [];
    this.#options = options;
  }

  /** `a b | c d` up to a closing bracket or the end. */
  choice(): UsagePattern {
    const branches = [this.#sequence()];
    while (this.#tokens[this.#position] === '|') {
      this.#position++;
      branches.push(this.#sequence());
    }
    const [only] = branches;
    return branches.length === 1 && only !== undefined ? only : { kind: 'choice', items: branches };
  }

  #sequence(): UsagePattern {
    const items: UsagePattern[] = [];
    for (;;) {
      const token = this.#tokens[this.#position];
      if (token === undefined || token === '|' || token === ')' || token === ']') break;
      this.#position++;
      let item = this.#element(token);
      if (this.#tokens[this.#position] === '...') {
        this.#position++;
        item = { kind: 'repeated', item };
      }
      items.push(item);
    }
    return { kind: 'sequence', items };
  }

  #element(token: string): UsagePattern {
    if (token === '(' || token === '[') {
      const inside =
        token === '[' && this.#tokens[this.#position] === 'options' ? this.#all() : this.choice();
      this.#position++;
      return token === '(' ? inside : { kind: 'optional', item: inside };
    }
    if (token.startsWith('-')) return { kind: 'option', name: optionName(token, this.#options) };
    return token.startsWith('<') ? { kind: 'argument', name: token } : { kind: 'word', word: token };
  }

  /** `[options]` stands for every described option. */
  #all(): UsagePattern {
    this.#position++;
    return {
      kind: 'sequence',
      items: this.#options.map(({ name }) => ({ kind: 'optional', item: { kind: 'option', name } })),
    };
  }
}

/** Reads what follows the program and command words of one usage line; adds options that are not described. */
export function parseUsagePattern(source: string, options: OptionSyntax[]): UsagePattern {
  return new UsageReader(source, options).choice();
}
