/** Values in one document, those behind an alias counted each time: what a reader of it would have to visit. */
const MOST_VALUES = 1_000_000;
const DEEPEST = 100;

/** True when a decoded value, walked through all its aliases, has a size and depth that a reader can bear. */
export function isMeasurable(value: unknown, mostValues = MOST_VALUES): boolean {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let seen = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++seen > mostValues || next.depth > DEEPEST) return false;
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const inner of Object.values(next.value)) waiting.push({ value: inner, depth: next.depth + 1 });
    if (waiting.length > mostValues) return false;
  }
  return true;
}
