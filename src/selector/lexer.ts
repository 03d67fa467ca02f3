export type TokenKind =
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '=='
  | '!='
  | '!'
  | '&&'
  | '||'
  | 'in'
  | 'not in'
  | 'all'
  | 'has'
  | 'label'
  | 'string'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** the label of `label` and `has`, the value of `string`, else the token as it was written */
  readonly text: string;
  /** offset in the selector's text */
  readonly position: number;
}

export interface SyntaxProblem {
  readonly ok: false;
  readonly reason: string;
  /** offset in the selector's text, in UTF-16 units */
  readonly position: number;
}

// A run of separators inside a label ends after 61; the whole has no limit (resources.md 7.1).
const LABEL = '(?:[a-zA-Z0-9.-]{0,253}/)?[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])*';
const SPACE = '[\\t\\n\\f\\r ]*';

/** Tried in this order, after the punctuation: `has(x)` before `not in` before `in` before a label `has`. */
const words: readonly { readonly kind: TokenKind; readonly pattern: RegExp }[] = [
  { kind: 'has', pattern: sticky(`has\\(${SPACE}(${LABEL})${SPACE}\\)`) },
  { kind: 'not in', pattern: sticky(`not${SPACE}in\\b`) },
  { kind: 'in', pattern: sticky('in\\b') },
  { kind: 'all', pattern: sticky(`all\\(${SPACE}\\)`) },
  { kind: 'label', pattern: sticky(`(${LABEL})`) },
];

/** Matches only where it is told to, by a `lastIndex` that is set before each use. */
function sticky(source: string): RegExp {
  return new RegExp(source, 'y');
}

/** Splits a selector into tokens, the last of which is `end`; the rules are those of resources.md 7.2. */
export function tokenize(
  text: string,
): { readonly ok: true; readonly tokens: readonly Token[] } | SyntaxProblem {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    while (text[position] === ' ' || text[position] === '\t') position++;
    if (position >= text.length) {
      tokens.push({ kind: 'end', text: 'end of selector', position });
      return { ok: true, tokens };
    }
    const read = readPunctuation(text, position) ?? readWord(text, position);
    if ('ok' in read) return read;
    tokens.push(read.token);
    position = read.next;
  }
}

interface Read {
  readonly token: Token;
  readonly next: number;
}

function readPunctuation(text: string, position: number): Read | SyntaxProblem | undefined {
  const first: string = text.charAt(position);
  const token = (kind: TokenKind): Read => ({
    token: { kind, text: kind, position },
    next: position + kind.length,
  });
  const wrong = (reason: string): SyntaxProblem => ({ ok: false, reason, position });
  switch (first) {
    case '(':
    case ')':
    case '{':
    case '}':
    case ',':
      return token(first);
    case '"':
    case "'": {
      const end = text.indexOf(first, position + 1);
      if (end < 0) return wrong('unterminated string');
      return { token: { kind: 'string', text: text.slice(position + 1, end), position }, next: end + 1 };
    }
    case '=':
      return text[position + 1] === '=' ? token('==') : wrong('expected ==');
    case '!':
      return text[position + 1] === '=' ? token('!=') : token('!');
    case '&':
      return text[position + 1] === '&' ? token('&&') : wrong('expected &&');
    case '|':
      return text[position + 1] === '|' ? token('||') : wrong('expected ||');
    default:
      return undefined;
  }
}

function readWord(text: string, position: number): Read | SyntaxProblem {
  for (const { kind, pattern } of words) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) {
      return {
        token: { kind, text: match[1] ?? match[0], position },
        next: position + match[0].length,
      };
    }
  }
  return { ok: false, reason: 'unexpected characters', position };
}
