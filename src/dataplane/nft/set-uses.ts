import type { Chain } from './model.js';

function setsOf(chain: Chain | undefined): readonly string[] {
  return (chain?.rules ?? []).flatMap(({ tests }) =>
    tests.flatMap(test => ('set' in test ? [test.set] : [])),
  );
}

/** Which sets the rules of chains look up, and which of them came into use or fell out of it. */
export class SetUses {
  /** by set: lookups in all chains */
  readonly #counts = new Map<string, number>();
  #changed = new Set<string>();

  /** A chain says something else; undefined: it is not there. */
  replace(before: Chain | undefined, after: Chain | undefined): void {
    if (before === after) return;
    for (const set of setsOf(after)) this.#add(set, 1);
    for (const set of setsOf(before)) this.#add(set, -1);
  }

  has(set: string): boolean {
    return this.#counts.has(set);
  }

  /** Sets that came into use, or fell out of it, since the last call; and such that did both. */
  takeChanges(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #add(set: string, more: 1 | -1): void {
    const before = this.#counts.get(set) ?? 0;
    const after = before + more;
    if (after === 0) this.#counts.delete(set);
    else this.#counts.set(set, after);
    if (before === 0 || after === 0) this.#changed.add(set);
  }
}
