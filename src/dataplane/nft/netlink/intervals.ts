import type { NftElement } from '../../../netlink/index.js';

/** Keys from `first` to `last`, both included, in network order and of the set's length. */
export interface Interval {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** The next key, or undefined behind the highest. */
function following(bytes: Uint8Array): Uint8Array | undefined {
  const next = bytes.slice();
  for (let at = next.length - 1; at >= 0; at--) {
    const byte = next[at] ?? 0;
    if (byte < 0xff) {
      next[at] = byte + 1;
      return next;
    }
    next[at] = 0;
  }
  return undefined;
}

/** The key before; not for the lowest. */
function preceding(bytes: Uint8Array): Uint8Array {
  const previous = bytes.slice();
  for (let at = previous.length - 1; at >= 0; at--) {
    const byte = previous[at] ?? 0;
    previous[at] = byte === 0 ? 0xff : byte - 1;
    if (byte > 0) break;
  }
  return previous;
}

/** Order of keys in an interval set. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** Sorted intervals that do not overlap, with those that touch made one: as nft does for a set within a rule. */
export function joinedIntervals(intervals: readonly Interval[]): readonly Interval[] {
  const joined: Interval[] = [];
  for (const interval of intervals) {
    const before = joined.at(-1);
    const touching = before && following(before.last);
    if (before !== undefined && touching !== undefined && compare(touching, interval.first) === 0) {
      joined[joined.length - 1] = { first: before.first, last: interval.last };
    } else joined.push(interval);
  }
  return joined;
}

/** Sorted intervals that do not overlap, as the kernel keeps them: where each begins and where it ends. */
export function intervalElements(intervals: readonly Interval[]): readonly NftElement[] {
  return intervals.flatMap(({ first, last }): readonly NftElement[] => {
    const end = following(last);
    return end === undefined ? [{ key: first, open: true }] : [{ key: first }, { key: end, end: true }];
  });
}

/** The reverse of intervalElements, for elements in any order. */
export function intervalsOf(elements: readonly NftElement[]): readonly Interval[] {
  const sorted = [...elements].sort(
    // An end comes before the start at the same key.
    (a, b) => compare(a.key, b.key) || Number(b.end === true) - Number(a.end === true),
  );
  return sorted.flatMap(({ key, end }, index): readonly Interval[] => {
    if (end === true) return [];
    const next = sorted[index + 1];
    const last = next === undefined ? new Uint8Array(key.length).fill(0xff) : preceding(next.key);
    return [{ first: key, last }];
  });
}
