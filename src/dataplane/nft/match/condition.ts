import type { IpVersion } from '../../../net/index.js';
import type { ActiveMatch, SetId } from '../../../policy/index.js';
import type { Test } from '../model.js';

/**
 * How a criterion is tested in one address family: alternatives of which one must hold, each a list of tests
 * that must all hold.
 */
export type Condition = readonly (readonly Test[])[];

/** Holds for every packet of the family. */
export const always: Condition = [[]];

/** Holds for no packet of the family. */
export const never: Condition = [];

/** What a renderer may look at besides its own field. */
export interface MatchContext {
  readonly version: IpVersion;
  readonly match: ActiveMatch;
  /** the prefix lengths that members of a set have, or had: hosts' full length is always there */
  readonly lengthsOf: (set: SetId, version: IpVersion) => readonly number[];
}

/** A single way to match, made of these tests. */
export function allOf(...tests: readonly Test[]): Condition {
  return [tests];
}

/** Every combination of alternatives of `left` and `right`: both must hold. */
export function both(left: Condition, right: Condition): Condition {
  return left.flatMap(a => right.map(b => [...a, ...b]));
}
