import { isMeasurable } from './measure.js';

/** Numbers whose text JSON.parse would lose: long ones, exponents, trailing zeros. May match inside a text too. */
const LOSSY_NUMBER = /[:,[]\s*-?[0-9]+(?:[0-9]{15}|\.[0-9]*0(?![0-9])|(?:\.[0-9]+)?[eE])/;

/** Values in one document: more than fit into the largest input when they are resources. */
const MOST_VALUES = 2_000_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Every value but the outermost stands behind one of these. */
const VALUE_MARKS: ReadonlySet<number> = new Set([0x2c, 0x3a, 0x5b]);

/** The place behind the text that begins at `start`, or the end. */
function behindText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
    if ((end - escapes) % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** True when the text cannot hold more values than that: known before any memory is spent on them. */
function holdsAtMost(text: string, mostValues: number): boolean {
  let seen = 1;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = behindText(text, at);
      continue;
    }
    if (VALUE_MARKS.has(code) && ++seen > mostValues) return false;
    at++;
  }
  return true;
}

/** The value of a JSON text; undefined when it is none, or YAML reads it more faithfully. */
export function decodeJson(text: string): { readonly value: unknown } | undefined {
  if (!/^[\s\ufeff]*[[{]/.test(text) || LOSSY_NUMBER.test(text)) return undefined;
  // A value takes two characters at least, with what is before it.
  if (text.length > 2 * MOST_VALUES && !holdsAtMost(text, MOST_VALUES)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isMeasurable(value, MOST_VALUES) ? { value } : undefined;
  } catch {
    // YAML has maps and lists in brackets too, and words the error.
    return undefined;
  }
}
