const LETTER = /\p{L}/u;

/** Value and length of the run of digits at `start`; both 0 when there is none. */
function digitRun(
  chars: readonly string[],
  start: number,
): { readonly value: bigint; readonly length: number } {
  let end = start;
  while (/^[0-9]$/.test(chars[end] ?? '')) end++;
  return { value: end === start ? 0n : BigInt(chars.slice(start, end).join('')), length: end - start };
}

/**
 * Order of keys in YAML output: decided at the first character that differs. Two letters by code point; a
 * letter after everything else; digits by the value of the run that starts there, at equal value the shorter
 * run first; else by code point (`calicoctl.md` 5.4 and 16).
 */
export function compareKeys(a: string, b: string): number {
  // Nearly all keys are names of fields: they part at two ASCII letters.
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const [first, second] = [a.charCodeAt(at), b.charCodeAt(at)];
  return isAsciiLetter(first) && isAsciiLetter(second) ? first - second : compareCharacters(a, b);
}

function isAsciiLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function compareCharacters(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  const shared = Math.min(left.length, right.length);
  let i = 0;
  while (i < shared && left[i] === right[i]) i++;
  const [x, y] = [left[i], right[i]];
  if (x === undefined || y === undefined) return left.length - right.length;
  const byCode = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  const [xIsLetter, yIsLetter] = [LETTER.test(x), LETTER.test(y)];
  if (xIsLetter !== yIsLetter) return xIsLetter ? 1 : -1;
  if (xIsLetter) return byCode;
  const [xRun, yRun] = [digitRun(left, i), digitRun(right, i)];
  if (xRun.value !== yRun.value) return xRun.value < yRun.value ? -1 : 1;
  return xRun.length === yRun.length ? byCode : xRun.length - yRun.length;
}
