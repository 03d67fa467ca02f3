import type { Rule } from './model.js';

/** Exchanges some rules in a row; what stands before and behind them stays. */
export interface Splice {
  /** so many rules stay before it */
  readonly at: number;
  readonly removed: number;
  readonly added: number;
}

/** Below this many rules it costs as much to ask the kernel what to call them as to write them anew. */
const fewest = 64;

/**
 * What differs between the rules with those fingerprints and these, when that is little of many: then it is worth
 * asking for the rules that are there. Undefined when the chain is better written anew.
 */
export function spliceOf(former: readonly string[], rules: readonly Rule[]): Splice | undefined {
  const shorter = Math.min(former.length, rules.length);
  let at = 0;
  while (at < shorter && former[at] === rules[at]?.fingerprint) at++;
  let behind = 0;
  while (behind < shorter - at && former.at(-1 - behind) === rules.at(-1 - behind)?.fingerprint) behind++;
  const [removed, added] = [former.length - at - behind, rules.length - at - behind];
  return former.length < fewest || (removed + added) * 4 > former.length ? undefined : { at, removed, added };
}
