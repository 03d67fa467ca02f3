/** Columns after which the original breaks a line at the next single space. */
const BEST_WIDTH = 80;

/** Words that YAML 1.1 reads as a boolean, null or not-a-number. */
const OTHER_TYPE_WORDS = new Set(
  [
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'n',
    'N',
    'no',
    'No',
    'NO',
    'true',
    'True',
    'TRUE',
    'false',
    'False',
    'FALSE',
  ]
    .concat(['on', 'On', 'ON', 'off', 'Off', 'OFF', '', '~', 'null', 'Null', 'NULL'])
    .concat([
      '.nan',
      '.NaN',
      '.NAN',
      '.inf',
      '.Inf',
      '.INF',
      '+.inf',
      '+.Inf',
      '+.INF',
      '-.inf',
      '-.Inf',
      '-.INF',
    ]),
);
const NUMBER = /^[-+]?(?:0x[0-9a-f]+|0b[01]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|inf|infinity)$/i;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** True when a plain scalar with this text would be read as something else than a string by YAML 1.1. */
function readsAsOtherType(text: string): boolean {
  if (OTHER_TYPE_WORDS.has(text)) return true;
  if (!/^[-+.0-9]/.test(text)) return false;
  return BASE_60.test(text) || NUMBER.test(text.startsWith('.') ? text : text.replaceAll('_', ''));
}

/** Characters that only a double-quoted scalar can hold: controls, and what the original does not print. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\ufeff\ufffe\uffff\u2028\u2029]|[\u{10000}-\u{10ffff}]/u;
const STARTS_WITH_INDICATOR = /^(?:[#,[\]{}&*!|>'"%@`]|---|\.\.\.|[?:-](?:\s|$))/;

function needsSingleQuotes(text: string): boolean {
  return (
    text.startsWith(' ') || text.endsWith(' ') || STARTS_WITH_INDICATOR.test(text) || /:(?: |$)| #/.test(text)
  );
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeCharacter(char: string): string {
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function doubleQuoted(text: string): string {
  const escaped = Array.from(text, char =>
    UNPRINTABLE.test(char) || char === '"' || char === '\\' ? escapeCharacter(char) : char,
  );
  return `"${escaped.join('')}"`;
}

/** Breaks at single spaces beyond the best width; the next line starts at `indent`. */
function folded(text: string, column: number, indent: number): string {
  let result = '';
  let at = column;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const single = char === ' ' && text.charAt(i - 1) !== ' ' && text.charAt(i + 1) !== ' ';
    if (single && at > BEST_WIDTH && i > 1 && i < text.length - 2) {
      result += `\n${' '.repeat(indent)}`;
      at = indent;
    } else {
      result += char;
      at++;
    }
  }
  return result;
}

export interface ScalarPlace {
  /** columns that the line already has */
  readonly column: number;
  /** where a continued line starts */
  readonly indent: number;
  /** a key must stay on its line */
  readonly isKey: boolean;
}

/** A string as a YAML scalar, in the style that the original picks: plain, then single, then double quotes. */
export function formatYamlString(text: string, { column, indent, isKey }: ScalarPlace): string {
  if (readsAsOtherType(text) || UNPRINTABLE.test(text)) return doubleQuoted(text);
  const styled = needsSingleQuotes(text) ? `'${text.replaceAll("'", "''")}'` : text;
  return isKey || column + styled.length <= BEST_WIDTH ? styled : folded(styled, column, indent);
}
