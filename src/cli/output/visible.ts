/** C0 and C1 controls, DEL, and the marks that change the direction of text: they could forge a line. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text from stored data or input made safe for a terminal: what is not visible is written as `\u001b`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
