import { readPieces } from './lexer.js';
import type { Piece } from './lexer.js';
import type { Node, Pipeline, Template } from './nodes.js';
import { parsePipeline } from './parse-pipeline.js';
import { TemplateError } from './template-error.js';

type Action = Extract<Piece, { kind: 'action' }>;

/** Blocks inside each other; beyond that the stack would be at risk. */
const DEEPEST = 100;

interface Block {
  readonly nodes: readonly Node[];
  /** the action that ended it: `end`, or `else` with what follows it; undefined at the end of the template */
  readonly ending: Action | undefined;
}

function keyword({ tokens }: Action): string {
  const [first] = tokens;
  return first?.kind === 'word' ? first.name : '';
}

class TemplateParser {
  readonly defined = new Map<string, readonly Node[]>();
  readonly #pieces: readonly Piece[];
  #position = 0;
  #depth = 0;

  constructor(source: string) {
    this.#pieces = readPieces(source);
  }

  block(scope: Set<string>, opened?: Action): Block {
    if (++this.#depth > DEEPEST) throw new TemplateError(opened?.line ?? 1, 'blocks are nested too deeply');
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#position++];
      if (piece === undefined) {
        if (opened !== undefined)
          throw new TemplateError(opened.line, `unexpected EOF: {{${keyword(opened)}}} has no end`);
        break;
      }
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const word = keyword(piece);
      if (word === 'end' || word === 'else') {
        if (opened === undefined) throw new TemplateError(piece.line, `unexpected {{${word}}}`);
        if (word === 'end' && piece.tokens.length > 1)
          throw new TemplateError(piece.line, 'unexpected text in end');
        this.#depth--;
        return { nodes, ending: piece };
      }
      nodes.push(...this.#node(piece, scope, opened));
    }
    this.#depth--;
    return { nodes, ending: undefined };
  }

  #node(action: Action, scope: Set<string>, opened: Action | undefined): readonly Node[] {
    const word = keyword(action);
    switch (word) {
      case 'if':
      case 'range':
      case 'with':
        return [this.#control(word, action, { scope, from: 1 })];
      case 'template':
        return [this.#call(action, scope)];
      case 'block':
        return this.#definedHere(action, scope);
      case 'define':
        if (opened !== undefined) throw new TemplateError(action.line, 'unexpected {{define}}');
        this.#define(action, 0);
        return [];
      default:
        return [{ kind: 'print', pipeline: parsePipeline({ ...action, from: 0 }, scope) }];
    }
  }

  #control(
    kind: 'if' | 'range' | 'with',
    action: Action,
    { scope, from }: { readonly scope: ReadonlySet<string>; readonly from: number },
  ): Node {
    const inner = new Set(scope);
    const pipeline = parsePipeline({ ...action, from }, inner, kind === 'range' ? 2 : 1);
    const { nodes, ending } = this.block(new Set(inner), action);
    return { kind, pipeline, body: nodes, otherwise: this.#otherwise(kind, ending, inner) };
  }

  /** What follows `else`, up to the end; `else if` is an `if` inside the `else` that shares the end. */
  #otherwise(kind: Node['kind'], ending: Action | undefined, scope: ReadonlySet<string>): readonly Node[] {
    if (ending === undefined || keyword(ending) === 'end') return [];
    const [, next] = ending.tokens;
    if (next?.kind === 'word' && next.name === kind && (kind === 'if' || kind === 'with')) {
      if (++this.#depth > DEEPEST) throw new TemplateError(ending.line, 'blocks are nested too deeply');
      const chained = this.#control(kind, ending, { scope, from: 2 });
      this.#depth--;
      return [chained];
    }
    if (next !== undefined) throw new TemplateError(ending.line, 'unexpected text in else');
    const rest = this.block(new Set(scope), ending);
    if (rest.ending !== undefined && keyword(rest.ending) === 'else')
      throw new TemplateError(rest.ending.line, 'expected end; found {{else}}');
    return rest.nodes;
  }

  #name({ tokens, line }: Action): string {
    const [, name] = tokens;
    if (name?.kind !== 'text') throw new TemplateError(line, 'missing name of template');
    return name.value;
  }

  #call(action: Action, scope: Set<string>): Node {
    return {
      kind: 'template',
      line: action.line,
      name: this.#name(action),
      argument: this.#argument(action, scope),
    };
  }

  #argument(action: Action, scope: Set<string>): Pipeline | undefined {
    return action.tokens.length > 2 ? parsePipeline({ ...action, from: 2 }, scope) : undefined;
  }

  /** `block` is `define`, and `template` in the same place. */
  #definedHere(action: Action, scope: Set<string>): readonly Node[] {
    const argument = this.#argument(action, scope);
    if (argument === undefined) throw new TemplateError(action.line, 'missing value for block clause');
    this.#define(action, 1);
    return [{ kind: 'template', line: action.line, name: this.#name(action), argument }];
  }

  #define(action: Action, mostExtra: 0 | 1): void {
    const name = this.#name(action);
    if (mostExtra === 0 && action.tokens.length > 2)
      throw new TemplateError(action.line, 'unexpected text in define clause');
    const { nodes, ending } = this.block(new Set(['$']), action);
    if (ending !== undefined && keyword(ending) === 'else')
      throw new TemplateError(ending.line, 'unexpected {{else}}');
    this.defined.set(name, nodes);
  }
}

/** Parses a template of Go's text/template language; throws a TemplateError when it is none. */
export function parseTemplate(source: string): Template {
  const parser = new TemplateParser(source);
  const { nodes } = parser.block(new Set(['$']));
  return { body: nodes, defined: parser.defined };
}
