/** A map from a key to a set of values; a key without values is not in it. */
export class MultiMap<K, V> {
  readonly #sets = new Map<K, Set<V>>();

  add(key: K, value: V): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([value]));
    else set.add(value);
  }

  /** True when the pair was there. */
  delete(key: K, value: V): boolean {
    const set = this.#sets.get(key);
    if (set === undefined || !set.delete(value)) return false;
    if (set.size === 0) this.#sets.delete(key);
    return true;
  }

  deleteKey(key: K): void {
    this.#sets.delete(key);
  }

  has(key: K): boolean {
    return this.#sets.has(key);
  }

  get(key: K): ReadonlySet<V> {
    return this.#sets.get(key) ?? (MultiMap.#empty as ReadonlySet<V>);
  }

  keys(): MapIterator<K> {
    return this.#sets.keys();
  }

  static readonly #empty: ReadonlySet<unknown> = new Set();
}
