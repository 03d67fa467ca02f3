import { isMeasurable } from './measure.js';

/** Numbers whose text JSON.parse would lose: long ones, exponents, trailing zeros. May match inside a text too. */
const LOSSY_NUMBER = /[:,[]\s*-?[0-9]+(?:[0-9]{15}|\.[0-9]*0(?![0-9])|(?:\.[0-9]+)?[eE])/;

/** Values in one document: more than fit into the largest input when they are resources. */
const MOST_VALUES = 2_000_000;

/** The value of a JSON text; undefined when it is none, or YAML reads it more faithfully. */
export function decodeJson(text: string): { readonly value: unknown } | undefined {
  if (!/^[\s\ufeff]*[[{]/.test(text) || LOSSY_NUMBER.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isMeasurable(value, MOST_VALUES) ? { value } : undefined;
  } catch {
    // YAML has maps and lists in brackets too, and words the error.
    return undefined;
  }
}
