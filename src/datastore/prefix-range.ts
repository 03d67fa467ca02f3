/** Keys from `from` on and before `to`; without `to` there is no end. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

const highestCodePoint = 0x10ffff;

/**
 * The range of all keys that start with `prefix`, in the order of their bytes in UTF-8, which is the
 * order of code points.
 */
export function prefixRange(prefix: string): KeyRange {
  const points = Array.from(prefix, character => character.codePointAt(0) ?? 0);
  while (points.at(-1) === highestCodePoint) points.pop();
  const last = points.pop();
  if (last === undefined) return { from: prefix, to: undefined };
  // The surrogates are no code points of their own and cannot be written in UTF-8.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return { from: prefix, to: String.fromCodePoint(...points, next) };
}

/** One prefix or several, without those that another one covers, in the order of their keys. */
export function disjointPrefixes(prefixes: string | readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const prefix of [prefixes].flat().sort(compareKeys)) {
    if (!kept.some(wider => prefix.startsWith(wider))) kept.push(prefix);
  }
  return kept;
}

function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
