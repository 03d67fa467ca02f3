/** Addresses, each as long as one endpoint has it, with what has changed since it was last asked. */
export class MemberSet {
  readonly #counts = new Map<string, number>();
  /** true: was not in it at the last `takeChanges` and is now; false: the other way round */
  readonly #changes = new Map<string, boolean>();

  addAll(addresses: readonly string[]): void {
    for (const address of addresses) {
      const count = this.#counts.get(address) ?? 0;
      this.#counts.set(address, count + 1);
      if (count === 0) this.#note(address, true);
    }
  }

  removeAll(addresses: readonly string[]): void {
    for (const address of addresses) {
      const count = this.#counts.get(address) ?? 0;
      if (count > 1) this.#counts.set(address, count - 1);
      else if (this.#counts.delete(address)) this.#note(address, false);
    }
  }

  addresses(): ReadonlySet<string> {
    return new Set(this.#counts.keys());
  }

  /** What came and went, net, since the last call. */
  takeChanges(): { readonly added: readonly string[]; readonly removed: readonly string[] } {
    const changes = [...this.#changes];
    this.#changes.clear();
    return {
      added: changes.filter(([, present]) => present).map(([address]) => address),
      removed: changes.filter(([, present]) => !present).map(([address]) => address),
    };
  }

  #note(address: string, present: boolean): void {
    if (this.#changes.get(address) === !present) this.#changes.delete(address);
    else this.#changes.set(address, present);
  }
}
