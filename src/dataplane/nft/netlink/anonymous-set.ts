import type { NewSet, NftElement, NftKeyType } from '../../../netlink/index.js';

/** A set that belongs to one rule, and comes before it in the batch. */
export interface AnonymousSet {
  readonly set: NewSet;
  readonly elements: readonly NftElement[];
}

/** Numbers sets within one batch. */
export interface SetNumbers {
  next(): number;
}

export function createSetNumbers(): SetNumbers {
  let last = 0;
  return { next: () => ++last };
}

export interface AnonymousSetOptions {
  readonly key: NftKeyType;
  readonly elements: readonly NftElement[];
  readonly intervals: boolean;
}

/** The kernel puts a number for `%d`; the rule and the elements find the set by its number in the batch. */
export function anonymousSet(numbers: SetNumbers, options: AnonymousSetOptions): AnonymousSet {
  const { key, elements, intervals } = options;
  const name = '__set%d';
  // The count is known for good, which lets the kernel choose a faster kind of set.
  const set = {
    name,
    key,
    verdicts: false,
    intervals,
    size: elements.length,
    anonymous: true,
    id: numbers.next(),
  };
  return { set, elements };
}
