/** A parsed label selector: a tree of tests over one set of labels. */
export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'has'; readonly label: string }
  | { readonly kind: 'equals' | 'not-equals'; readonly label: string; readonly value: string }
  /** values in byte order, without repeats */
  | { readonly kind: 'in' | 'not-in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Selector[] };
