const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * JSON as the original prints it: two spaces of indent, a final newline, and `<`, `>`, `&`, U+2028 and
 * U+2029 escaped. Outside strings none of these characters can occur.
 */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return `${text.replace(ESCAPED, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
