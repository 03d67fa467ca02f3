import { isFunctionName } from './functions.js';
import type { Token } from './lexer.js';
import type { Command, Operand, Pipeline } from './nodes.js';
import { TemplateError } from './template-error.js';

/** Parentheses inside each other; beyond that the stack would be at risk. */
const DEEPEST = 100;

class PipelineParser {
  readonly #tokens: readonly Token[];
  readonly #line: number;
  /** the variables that may be used; those that a pipeline makes are added */
  readonly #scope: Set<string>;
  #position: number;
  #depth = 0;

  constructor(source: TokenSource, scope: Set<string>) {
    this.#tokens = source.tokens;
    this.#line = source.line;
    this.#position = source.from;
    this.#scope = scope;
  }

  whole(maxVariables: number): Pipeline {
    const { variables, declares } = this.#declaration(maxVariables);
    const commands = this.#commands();
    const left = this.#tokens[this.#position];
    if (left !== undefined) throw this.#unexpected(left);
    if (declares) for (const name of variables) this.#scope.add(name);
    return { line: this.#line, variables, declares, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=`; nothing is read when none of them stands there. */
  #declaration(most: number): Pick<Pipeline, 'variables' | 'declares'> {
    const names: string[] = [];
    let at = this.#position;
    for (;;) {
      const variable = this.#tokens[at];
      if (variable?.kind !== 'variable') break;
      names.push(variable.name);
      const next = this.#tokens[at + 1];
      if (next?.kind !== 'mark') break;
      if (next.mark === ',' && names.length < most) {
        at += 2;
        continue;
      }
      if (next.mark !== ':=' && next.mark !== '=') break;
      this.#position = at + 2;
      const declares = next.mark === ':=';
      if (!declares) for (const name of names) this.#known(name, next);
      return { variables: names, declares };
    }
    return { variables: [], declares: false };
  }

  #commands(): Pipeline['commands'] {
    const first = this.#command();
    const rest: Command[] = [];
    for (let next = this.#peek(); next?.kind === 'mark' && next.mark === '|'; next = this.#peek()) {
      this.#position++;
      const command = this.#command();
      if (command[0].kind !== 'function')
        throw new TemplateError(next.line, 'non executable command in pipeline');
      rest.push(command);
    }
    return [first, ...rest];
  }

  #command(): Command {
    const [first, ...rest] = this.#operands();
    const [extra] = rest;
    if (first === undefined) throw this.#missing();
    if (extra !== undefined && first.kind !== 'function')
      throw new TemplateError(this.#line, "can't give argument to non-function");
    return [first, ...rest];
  }

  #operands(): readonly Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      const token = this.#peek();
      if (token === undefined || (token.kind === 'mark' && (token.mark === '|' || token.mark === ')'))) break;
      this.#position++;
      operands.push(this.#withFields(this.#operand(token), token));
    }
    return operands;
  }

  #operand(token: Token): Operand {
    switch (token.kind) {
      case 'field':
        return { kind: 'fields', of: { kind: 'dot' }, names: [token.name] };
      case 'variable':
        this.#known(token.name, token);
        return { kind: 'variable', name: token.name };
      case 'text':
      case 'number':
        return { kind: 'constant', value: token.value };
      case 'word':
        return this.#word(token.name, token);
      case 'mark':
        break;
    }
    if (token.mark === '.') return { kind: 'dot' };
    if (token.mark !== '(') throw this.#unexpected(token);
    return this.#parenthesized(token);
  }

  #parenthesized(open: Token): Operand {
    if (++this.#depth > DEEPEST) throw new TemplateError(open.line, 'parentheses are nested too deeply');
    const commands = this.#commands();
    this.#depth--;
    const close = this.#peek();
    if (close?.kind !== 'mark' || close.mark !== ')')
      throw new TemplateError(open.line, 'unclosed left paren');
    this.#position++;
    return {
      kind: 'pipeline',
      pipeline: { line: open.line, variables: [], declares: false, commands },
    };
  }

  #word(name: string, { line }: Token): Operand {
    if (name === 'true' || name === 'false') return { kind: 'constant', value: name === 'true' };
    if (name === 'nil') return { kind: 'nil' };
    if (!isFunctionName(name)) throw new TemplateError(line, `function "${name}" not defined`);
    return { kind: 'function', name };
  }

  /** `.B.C` directly behind an operand are its fields. */
  #withFields(of: Operand, first: Token): Operand {
    const names: string[] = [];
    for (let next = this.#peek(); next?.kind === 'field' && !next.spaced; next = this.#peek()) {
      names.push(next.name);
      this.#position++;
    }
    if (names.length === 0) return of;
    if (of.kind === 'fields') return { ...of, names: [...of.names, ...names] };
    if (of.kind === 'variable' || of.kind === 'pipeline') return { kind: 'fields', of, names };
    throw new TemplateError(first.line, `unexpected .${names.join('.')} after a constant or function`);
  }

  #known(name: string, { line }: Token): void {
    if (!this.#scope.has(name)) throw new TemplateError(line, `undefined variable "${name}"`);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  #missing(): TemplateError {
    return new TemplateError(this.#line, 'missing value for command');
  }

  #unexpected(token: Token): TemplateError {
    const what = token.kind === 'mark' ? token.mark : 'name' in token ? token.name : String(token.value);
    return new TemplateError(token.line, `unexpected "${what}" in operand`);
  }
}

/** Tokens of an action, of which those before `from` have been read. */
export interface TokenSource {
  readonly tokens: readonly Token[];
  readonly from: number;
  readonly line: number;
}

/** Reads all tokens as one pipeline; variables that it makes are added to `scope`. */
export function parsePipeline(source: TokenSource, scope: Set<string>, maxVariables = 1): Pipeline {
  return new PipelineParser(source, scope).whole(maxVariables);
}
