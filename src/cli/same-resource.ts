import { isDeepStrictEqual } from 'node:util';
import { toJson } from '../resources/index.js';
import type { Resource } from '../resources/index.js';

/** Whether two resources say the same, in whatever order their labels were written. */
export function saysTheSame(a: Resource, b: Resource): boolean {
  const [left, right] = [toJson(a), toJson(b)];
  // Fields have one order; only labels may differ in theirs.
  return JSON.stringify(left) === JSON.stringify(right) || isDeepStrictEqual(left, right);
}
