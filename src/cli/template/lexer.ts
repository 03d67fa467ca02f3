import { TemplateError } from './template-error.js';

/** One word of an action. `spaced`: white space stands before it, so `.A .B` are two values and `.A.B` is one. */
export type Token = { readonly line: number; readonly spaced: boolean } & (
  | { readonly kind: 'field' | 'variable' | 'word'; readonly name: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: bigint | number }
  | { readonly kind: 'mark'; readonly mark: Mark }
);

type Mark = '.' | '|' | '(' | ')' | ',' | ':=' | '=';

/** A template cut at its delimiters. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly line: number; readonly tokens: readonly Token[] };

const LEFT = '{{';
const RIGHT = '}}';

const SPACE = /[ \t\r\n]+/y;
const RIGHT_DELIMITER = /(?:[ \t\r\n]-)?\}\}/y;
const COMMENT = /\/\*[^]*?\*\//y;
const NAME = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const QUOTED = /"(?:[^"\\\n]|\\[^\n])*"/y;
const RAW = /`[^`]*`/y;
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])+'/y;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y;
const MARK = /:=|[|(),=.]/y;
/** What may follow a name or a value. */
const END = /[ \t\r\n.,|:=()]|$|\}\}|-\}\}/y;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The text inside quotes, with Go's escapes; undefined when one of them is none. */
function unquote(inside: string): string | undefined {
  let isRight = true;
  const text = inside.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([^]))/g,
    (_, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
      const digits = hex ?? short ?? long;
      const code = digits === undefined ? parseInt(octal ?? '0', 8) : parseInt(digits, 16);
      if (simple === undefined && code <= 0x10_ffff) return String.fromCodePoint(code);
      const escaped = SIMPLE_ESCAPES[simple ?? ''];
      if (escaped === undefined) isRight = false;
      return escaped ?? '';
    },
  );
  return isRight ? text : undefined;
}

function numberOf(text: string): bigint | number | undefined {
  const digits = text.replaceAll('_', '');
  const sign = digits.startsWith('-') ? -1n : 1n;
  const unsigned = digits.replace(/^[+-]/, '');
  const isInteger = /^(?:0[xXbBoO])?[0-9a-fA-F]+$/.test(unsigned) && !/^[0-9]+[eE]/.test(unsigned);
  if (isInteger) {
    const octal = /^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned;
    try {
      return sign * BigInt(octal);
    } catch {
      // `0x`, `0b2` or `09`: no number of Go's either.
      return undefined;
    }
  }
  const value = Number(digits);
  return Number.isFinite(value) ? value : undefined;
}

class Lexer {
  readonly pieces: Piece[] = [];
  readonly #source: string;
  #position = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  run(): readonly Piece[] {
    let trimNext = false;
    for (;;) {
      const start = this.#source.indexOf(LEFT, this.#position);
      let text = this.#source.slice(this.#position, start < 0 ? undefined : start);
      const trimsBefore = start >= 0 && /^-[ \t\r\n]/.test(this.#source.slice(start + 2, start + 4));
      this.#advance(text.length);
      if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
      if (trimsBefore) text = trimmedEnd(text);
      if (text !== '') this.pieces.push({ kind: 'text', text });
      if (start < 0) return this.pieces;
      this.#advance(trimsBefore ? 3 : 2);
      trimNext = this.#action();
    }
  }

  /** Reads up to and with the right delimiter; true when that trims the text behind it. */
  #action(): boolean {
    const line = this.#line;
    const tokens: Token[] = [];
    let isComment = false;
    for (;;) {
      const spaced = this.#skipSpace();
      const right = this.#match(RIGHT_DELIMITER);
      if (right !== undefined) {
        // A comment leaves nothing: the action disappears.
        if (!isComment) this.pieces.push({ kind: 'action', line, tokens });
        return right.length > RIGHT.length;
      }
      if (this.#position >= this.#source.length) throw new TemplateError(line, 'unclosed action');
      if (isComment) throw new TemplateError(line, 'comment ends before closing delimiter');
      if (tokens.length === 0 && this.#source.startsWith('/*', this.#position)) {
        if (this.#match(COMMENT) === undefined) throw new TemplateError(line, 'unclosed comment');
        isComment = true;
      } else {
        tokens.push(this.#token(spaced));
      }
    }
  }

  /** Skips white space, but for the one that belongs to a trimming delimiter. */
  #skipSpace(): boolean {
    SPACE.lastIndex = this.#position;
    const length = SPACE.exec(this.#source)?.[0].length ?? 0;
    const trims = length > 0 && this.#source.startsWith('-}}', this.#position + length);
    this.#advance(trims ? length - 1 : length);
    return length > 0;
  }

  #token(spaced: boolean): Token {
    const place = { line: this.#line, spaced };
    const char = this.#source.charAt(this.#position);
    if (char === '.' && !/[0-9]/.test(this.#source.charAt(this.#position + 1))) {
      this.#advance(1);
      const name = this.#match(NAME);
      return name === undefined
        ? { ...place, kind: 'mark', mark: '.' }
        : this.#ended({ ...place, kind: 'field', name });
    }
    if (char === '$') {
      this.#advance(1);
      return this.#ended({ ...place, kind: 'variable', name: `$${this.#match(NAME) ?? ''}` });
    }
    if (char === '"' || char === '`' || char === "'") return this.#ended(this.#quoted(char, place));
    const mark = this.#match(MARK);
    // The expression lets nothing else through.
    if (mark !== undefined) return { ...place, kind: 'mark', mark: mark as Mark };
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = numberOf(number);
      if (value === undefined) throw new TemplateError(place.line, `bad number syntax: "${number}"`);
      return this.#ended({ ...place, kind: 'number', value });
    }
    const name = this.#match(NAME);
    if (name !== undefined) return this.#ended({ ...place, kind: 'word', name });
    throw new TemplateError(place.line, `unexpected "${char}" in action`);
  }

  #quoted(quote: string, place: { readonly line: number; readonly spaced: boolean }): Token {
    const found = this.#match(quote === '"' ? QUOTED : quote === '`' ? RAW : CHARACTER);
    if (found === undefined) {
      const what = { '"': 'quoted string', '`': 'raw quoted string', "'": 'character constant' }[quote];
      throw new TemplateError(place.line, `unterminated ${what ?? 'string'}`);
    }
    const inside = found.slice(1, -1);
    const value = quote === '`' ? inside : unquote(inside);
    if (value === undefined) throw new TemplateError(place.line, `invalid syntax: ${found}`);
    if (quote !== "'") return { ...place, kind: 'text', value };
    const [code, more] = Array.from(value, char => char.codePointAt(0) ?? 0);
    if (code === undefined || more !== undefined)
      throw new TemplateError(place.line, `malformed character constant: ${found}`);
    return { ...place, kind: 'number', value: BigInt(code) };
  }

  #ended(token: Token): Token {
    END.lastIndex = this.#position;
    if (END.exec(this.#source) !== null) return token;
    const char = String.fromCodePoint(this.#source.codePointAt(this.#position) ?? 0);
    throw new TemplateError(this.#line, `bad character "${char}"`);
  }

  #match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#position;
    const found = expression.exec(this.#source)?.[0];
    if (found !== undefined) this.#advance(found.length);
    return found;
  }

  #advance(length: number): void {
    const end = this.#position + length;
    for (let i = this.#position; i < end; i++) if (this.#source[i] === '\n') this.#line++;
    this.#position = end;
  }
}

/** `trimEnd` for Go's four kinds of white space, in linear time. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Cuts a template into texts and the tokens of its actions; throws a TemplateError for what is no token. */
export function readPieces(source: string): readonly Piece[] {
  return new Lexer(source).run();
}
