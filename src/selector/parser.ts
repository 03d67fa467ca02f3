import { compareBytes } from './byte-order.js';
import { tokenize } from './lexer.js';
import type { SyntaxProblem, Token } from './lexer.js';
import type { Selector } from './selector.js';

export type ParsedSelector = { readonly ok: true; readonly selector: Selector } | SyntaxProblem;

/** Parentheses inside parentheses: keeps the recursion of the parser away from the end of the stack. */
const MAX_PARENTHESES = 500;
/**
 * and/or/not inside each other: keeps evaluation and printing away from the end of the stack. Less than
 * MAX_PARENTHESES, because the canonical text has one pair for each of them and must parse again.
 */
const MAX_DEPTH = 200;
/** Characters: more than anybody writes, and a tree of them that a small machine can hold. */
const MAX_LENGTH = 1 << 20;

/** A tree and how many operators stand inside each other in it. */
interface Parsed {
  readonly selector: Selector;
  readonly depth: number;
}

/** Reads the selector language of resources.md 7; an empty or blank text selects everything. */
export function parseSelector(text: string): ParsedSelector {
  if (text.length > MAX_LENGTH)
    return { ok: false, reason: `longer than ${String(MAX_LENGTH)} characters`, position: MAX_LENGTH };
  const lexed = tokenize(text);
  if (!lexed.ok) return lexed;
  const parser = new Parser(lexed.tokens);
  if (parser.peek().kind === 'end') return { ok: true, selector: { kind: 'all' } };
  const parsed = parser.or(0);
  if ('ok' in parsed) return parsed;
  const rest = parser.peek();
  if (rest.kind !== 'end') return wrong(`unexpected content at end of selector: ${rest.text}`, rest);
  return { ok: true, selector: parsed.selector };
}

function wrong(reason: string, token: Token): SyntaxProblem {
  return { ok: false, reason, position: token.position };
}

const endOfText: Token = { kind: 'end', text: 'end of selector', position: 0 };

/** Recursive descent; its one state is the place in the list of tokens. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token {
    return this.#tokens[this.#next] ?? endOfText;
  }

  or(parentheses: number): Parsed | SyntaxProblem {
    return this.#joined('or', '||', () => this.#joined('and', '&&', () => this.#unary(parentheses)));
  }

  #take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #joined(
    kind: 'and' | 'or',
    operator: '&&' | '||',
    operand: () => Parsed | SyntaxProblem,
  ): Parsed | SyntaxProblem {
    const start = this.peek();
    const first = operand();
    if ('ok' in first || this.peek().kind !== operator) return first;
    const operands = [first.selector];
    let depth = first.depth;
    while (this.peek().kind === operator) {
      this.#take();
      const next = operand();
      if ('ok' in next) return next;
      operands.push(next.selector);
      depth = Math.max(depth, next.depth);
    }
    return grown({ kind, operands }, depth, start);
  }

  #unary(parentheses: number): Parsed | SyntaxProblem {
    const start = this.peek();
    let negated = false;
    while (this.peek().kind === '!') {
      this.#take();
      negated = !negated;
    }
    const operand = this.#primary(parentheses);
    if ('ok' in operand || !negated) return operand;
    // `!(!x)` is x as `!!x` is, so that the canonical text reads back as the same tree.
    if (operand.selector.kind === 'not') {
      return { selector: operand.selector.operand, depth: operand.depth - 1 };
    }
    return grown({ kind: 'not', operand: operand.selector }, operand.depth, start);
  }

  #primary(parentheses: number): Parsed | SyntaxProblem {
    const token = this.#take();
    if (token.kind === 'all') return { selector: { kind: 'all' }, depth: 0 };
    if (token.kind === 'has') return { selector: { kind: 'has', label: token.text }, depth: 0 };
    if (token.kind === 'label') return this.#test(token.text);
    if (token.kind === 'end') return wrong('Unexpected end of string in middle of op', token);
    if (token.kind !== '(') return wrong(`Unexpected token: ${token.text}`, token);
    if (parentheses >= MAX_PARENTHESES) return tooDeep(token);
    const inner = this.or(parentheses + 1);
    if ('ok' in inner) return inner;
    const close = this.#take();
    return close.kind === ')' ? inner : wrong(`Expected ) not ${close.text}`, close);
  }

  #test(label: string): Parsed | SyntaxProblem {
    const operator = this.#take();
    if (operator.kind === '==' || operator.kind === '!=') {
      const value = this.#take();
      if (value.kind !== 'string') return wrong(`Expected string not ${value.text}`, value);
      const kind = operator.kind === '==' ? 'equals' : 'not-equals';
      return { selector: { kind, label, value: value.text }, depth: 0 };
    }
    if (operator.kind === 'in' || operator.kind === 'not in') {
      const values = this.#set();
      if ('ok' in values) return values;
      return { selector: { kind: operator.kind === 'in' ? 'in' : 'not-in', label, values }, depth: 0 };
    }
    return wrong(`Expected == or != not ${operator.text}`, operator);
  }

  #set(): readonly string[] | SyntaxProblem {
    const open = this.#take();
    if (open.kind !== '{') return wrong(`Expected set literal not ${open.text}`, open);
    const values = new Set<string>();
    while (this.peek().kind === 'string') {
      values.add(this.#take().text);
      if (this.peek().kind !== ',') break;
      this.#take();
    }
    const close = this.#take();
    if (close.kind !== '}') return wrong(`Expected } not ${close.text}`, close);
    return [...values].sort(compareBytes);
  }
}

function grown(selector: Selector, depthBelow: number, start: Token): Parsed | SyntaxProblem {
  return depthBelow >= MAX_DEPTH ? tooDeep(start) : { selector, depth: depthBelow + 1 };
}

function tooDeep(token: Token): SyntaxProblem {
  return wrong(
    `nested too deep: at most ${String(MAX_DEPTH)} operators and ${String(MAX_PARENTHESES)} parentheses inside each other`,
    token,
  );
}
