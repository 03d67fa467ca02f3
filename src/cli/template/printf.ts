import { isList, isMap, isStruct, sortedEntries, textOf, typeName } from './values.js';
import type { Value } from './values.js';

/** Wider than any line that a person reads; keeps a template from filling the memory. */
const WIDEST = 10_000;

interface Verb {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** A string between double quotes with Go's escapes. */
export function quoted(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };
  const inside = text.replace(/["\\]|\p{Cc}/gu, char => {
    if (char === '"' || char === '\\') return `\\${char}`;
    return escapes[char] ?? `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
  });
  return `"${inside}"`;
}

/** Applies a text verb to each member of a list, as Go does. */
function each(value: Value, format: (member: Value) => string | undefined): string | undefined {
  if (!isList(value)) return format(value);
  const texts = value.map(format);
  return texts.every(text => text !== undefined) ? `[${texts.join(' ')}]` : undefined;
}

function hex(text: string, upper: boolean): string {
  const digits = Buffer.from(text).toString('hex');
  return upper ? digits.toUpperCase() : digits;
}

function integer(value: bigint, radix: number, { flags, precision }: Verb): string {
  const digits = (value < 0n ? -value : value).toString(radix).padStart(precision ?? 0, '0');
  const prefix = flags.includes('#') ? ({ 8: '0', 16: '0x' }[radix] ?? '') : '';
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return sign + prefix + digits;
}

function float(value: number, { letter, flags, precision }: Verb): string {
  const sign = value >= 0 && flags.includes('+') ? '+' : '';
  const twoDigits = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');
  const digits = Math.min(precision ?? 6, 100);
  switch (letter.toLowerCase()) {
    case 'e':
      return sign + twoDigits(value.toExponential(digits));
    case 'f':
      return sign + value.toFixed(digits);
    default:
      if (precision === undefined) return sign + textOf(value);
      return sign + twoDigits(String(Number(value.toPrecision(Math.min(Math.max(precision, 1), 100)))));
  }
}

function detailed(value: Value): string {
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, member]) => `${key}:${detailed(member)}`)
      .join(' ')}]`;
  if (isList(value)) return `[${value.map(detailed).join(' ')}]`;
  if (isStruct(value))
    return `{${[...value.fields].map(([name, member]) => `${name}:${detailed(member)}`).join(' ')}}`;
  return textOf(value);
}

/** Undefined: the verb does not fit the value. */
function formatted(value: Value, verb: Verb): string | undefined {
  const { letter, precision, flags } = verb;
  switch (letter) {
    case 'v':
      if (flags.includes('#') && typeof value === 'string') return quoted(value);
      return flags.includes('+') && typeof value === 'object' ? detailed(value) : textOf(value);
    case 'T':
      return typeName(value);
    case 't':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 's':
      return each(value, member => {
        if (typeof member !== 'string') return isMap(member) || isStruct(member) ? textOf(member) : undefined;
        return precision === undefined ? member : Array.from(member).slice(0, precision).join('');
      });
    case 'q':
      return each(value, member => {
        if (typeof member === 'bigint') return characterOf(member, char => `'${quoted(char).slice(1, -1)}'`);
        return typeof member === 'string' ? quoted(member) : undefined;
      });
    case 'x':
    case 'X':
      return each(value, member => {
        if (typeof member === 'string') return hex(member, letter === 'X');
        if (typeof member !== 'bigint') return undefined;
        const text = integer(member, 16, verb);
        return letter === 'X' ? text.toUpperCase() : text;
      });
    case 'd':
    case 'b':
    case 'o':
      return each(value, member =>
        typeof member === 'bigint' ? integer(member, { d: 10, b: 2, o: 8 }[letter], verb) : undefined,
      );
    case 'c':
      return typeof value === 'bigint' ? characterOf(value, char => char) : undefined;
    case 'U':
      return typeof value === 'bigint' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : undefined;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return typeof value === 'number' ? float(value, verb) : undefined;
    default:
      return undefined;
  }
}

function characterOf(code: bigint, show: (char: string) => string): string {
  return show(code >= 0n && code <= 0x10_ffffn ? String.fromCodePoint(Number(code)) : '\ufffd');
}

function padded(text: string, { width, flags, letter }: Verb): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !/[dxXobeEfFgG]/.test(letter)) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

const VERB = /%([-+# 0]*)([0-9]*)(?:\.([0-9]*))?(\p{L}|%|$)?/gu;

/** Go's Sprintf over template values; what does not fit is shown in the text, as Go does. */
export function sprintf(format: string, values: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (_, flags: string, width: string, precision: string | undefined, letter: string | undefined) => {
      if (letter === '%') return '%';
      if (letter === undefined || letter === '') return '%!(NOVERB)';
      const verb: Verb = {
        flags,
        width: Math.min(Number(width), WIDEST),
        precision: precision === undefined ? undefined : Math.min(Number(precision), WIDEST),
        letter,
      };
      if (next >= values.length) return `%!${letter}(MISSING)`;
      const value = values[next++];
      if (value === null || value === undefined)
        return letter === 'v' || letter === 'T' ? padded('<nil>', verb) : `%!${letter}(<nil>)`;
      const shown = formatted(value, verb);
      return shown === undefined ? `%!${letter}(${typeName(value)}=${textOf(value)})` : padded(shown, verb);
    },
  );
  const extra = values.slice(next).map(value => `${typeName(value)}=${textOf(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}
