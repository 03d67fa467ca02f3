export const MAX_AS_NUMBER = 0xffff_ffff;

/**
 * Reads an AS number: decimal 0–4294967295, or dotted `high.low` with both parts 0–65535 (RFC 5396).
 * Undefined when it is none.
 */
export function parseAsNumber(text: string): number | undefined {
  if (/^[0-9]{1,10}$/.test(text)) {
    const value = Number(text);
    return value <= MAX_AS_NUMBER ? value : undefined;
  }
  const dotted = /^([0-9]{1,5})\.([0-9]{1,5})$/.exec(text);
  if (dotted === null) return undefined;
  const [high, low] = [Number(dotted[1]), Number(dotted[2])];
  return high <= 0xffff && low <= 0xffff ? high * 65_536 + low : undefined;
}
