import { sameChain, sameElement, snapshotOf } from './diff.js';
import type { ChainChange, RulesetPatch } from './diff.js';
import type { Chain, ElementKey, Elements, ElementValue, NftSet, Ruleset } from './model.js';
import { SetUses } from './set-uses.js';

/** What one owner (an endpoint, a policy list, the base) wants to be in the table. */
export interface OwnedObjects {
  readonly sets?: readonly NftSet[];
  readonly chains?: readonly Chain[];
  /** by name of the set or map */
  readonly elements?: ReadonlyMap<string, Elements>;
}

/** What an owner has. */
interface Holding {
  readonly sets: readonly NftSet[];
  readonly chains: ReadonlyMap<string, Chain>;
  readonly elements: ReadonlyMap<string, Elements>;
}

const noElements: Elements = new Map();
const nothing: Holding = { sets: [], chains: new Map(), elements: new Map() };

/** Values by name, each there as long as somebody owns it. */
class Owned<T> {
  readonly values = new Map<string, T>();
  readonly #owners = new Map<string, Set<string>>();

  put(owner: string, name: string, value: T): void {
    this.values.set(name, value);
    const owners = this.#owners.get(name);
    if (owners === undefined) this.#owners.set(name, new Set([owner]));
    else owners.add(owner);
  }

  release(owner: string, name: string): void {
    const owners = this.#owners.get(name);
    owners?.delete(owner);
    if (owners?.size !== 0) return;
    this.#owners.delete(name);
    this.values.delete(name);
  }
}

/**
 * The table as it shall be, with a note of what was touched since the last patch, so that a patch costs what
 * changed and not the size of the table. An object is there while an owner holds it.
 */
export class DesiredRuleset {
  readonly #owned = new Map<string, Holding>();
  readonly #sets = new Owned<NftSet>();
  readonly #chains = new Owned<Chain>();
  readonly #elements = new Map<string, Map<ElementKey, ElementValue>>();
  /** who claims an element; the first owner in byte order has it, so that arrival order does not matter */
  readonly #claims = new Map<string, Map<string, ElementValue>>();
  /** sets for members, by name, whether in the table or not */
  readonly #memberSets = new Map<string, { readonly owner: string; readonly set: NftSet }>();
  /** members of those that no rule looks up: they are not in the table */
  readonly #idle = new Map<string, Map<ElementKey, ElementValue>>();
  readonly #uses = new SetUses();

  readonly #counters: ReadonlySet<string>;
  #touchedSets = new Map<string, NftSet | undefined>();
  #touchedChains = new Map<string, Chain | undefined>();
  #touchedElements = new Map<string, Map<ElementKey, ElementValue | undefined>>();

  /** Counters are there from the beginning to the end. */
  constructor(counters: Iterable<string>) {
    this.#counters = new Set(counters);
  }

  /** A live view: it changes with the next call. */
  get ruleset(): Ruleset {
    return {
      sets: this.#sets.values,
      chains: this.#chains.values,
      elements: this.#elements,
      counters: this.#counters,
    };
  }

  /** Replaces all that the owner had. */
  put(owner: string, objects: OwnedObjects): void {
    const former = this.#owned.get(owner) ?? nothing;
    const chains = new Map(objects.chains?.map(chain => [chain.name, chain]));
    const now = { sets: objects.sets ?? [], chains, elements: objects.elements ?? nothing.elements };
    this.#owned.set(owner, now);
    // Most is as before: an endpoint's addresses when its policies change, a list's buckets when one policy does.
    for (const set of now.sets) this.#putSet(owner, set);
    for (const [name, chain] of chains) {
      if (former.chains.get(name) !== chain) this.#putChain(owner, chain);
    }
    for (const [set, elements] of now.elements) {
      const had = former.elements.get(set);
      for (const [key, value] of elements) {
        if (!sameElement(had?.get(key), value)) this.#claim(owner, set, key, value);
      }
    }
    this.#release(owner, former, now);
  }

  remove(owner: string): void {
    this.put(owner, {});
    this.#owned.delete(owner);
  }

  /** A set for members, which is in the table while a rule looks it up. */
  putSet(owner: string, set: NftSet): void {
    this.#memberSets.set(set.name, { owner, set });
    if (this.#uses.has(set.name)) this.#putSet(owner, set);
    else this.#idle.set(set.name, new Map());
  }

  /** With all of its members. */
  removeSet(name: string): void {
    this.#hide(name);
    this.#idle.delete(name);
    this.#memberSets.delete(name);
  }

  /** Of a set for members. */
  membersOf(set: string): Elements {
    return this.#idle.get(set) ?? this.#elements.get(set) ?? noElements;
  }

  /** True when it was not there. */
  addMember(set: string, member: ElementKey): boolean {
    if (this.membersOf(set).has(member)) return false;
    const idle = this.#idle.get(set);
    if (idle === undefined) this.#setElement(set, member, null);
    else idle.set(member, null);
    return true;
  }

  /** True when it was there. */
  removeMember(set: string, member: ElementKey): boolean {
    if (!this.membersOf(set).has(member)) return false;
    const idle = this.#idle.get(set);
    if (idle === undefined) this.#setElement(set, member, undefined);
    else idle.delete(member);
    return true;
  }

  /** True when a rule looks the set up. */
  isUsed(set: string): boolean {
    return this.#uses.has(set);
  }

  /** Takes the sets for members in or out of the table as rules use them; returns whose use has changed. */
  settleSets(): ReadonlySet<string> {
    const changed = this.#uses.takeChanges();
    for (const name of changed) {
      if (this.#uses.has(name)) this.#show(name);
      else this.#hide(name);
    }
    return changed;
  }

  /** What changed since the last call. */
  takePatch(): RulesetPatch {
    const patch = {
      sets: this.#setChanges(),
      chains: this.#chainChanges(),
      elements: this.#elementChanges(),
      counters: new Map(),
    };
    this.#touchedSets = new Map();
    this.#touchedChains = new Map();
    this.#touchedElements = new Map();
    return patch;
  }

  #release(owner: string, former: Holding, now: Holding): void {
    for (const name of former.chains.keys()) {
      if (now.chains.has(name)) continue;
      this.#touchChain(name);
      const before = this.#chains.values.get(name);
      this.#chains.release(owner, name);
      this.#uses.replace(before, this.#chains.values.get(name));
    }
    for (const [set, elements] of former.elements) {
      const kept = now.elements.get(set);
      for (const key of elements.keys()) if (kept?.has(key) !== true) this.#unclaim(owner, set, key);
    }
    const sets = new Set(now.sets.map(set => set.name));
    for (const { name } of former.sets) {
      if (sets.has(name)) continue;
      this.#touchSet(name);
      this.#sets.release(owner, name);
    }
  }

  #putSet(owner: string, set: NftSet): void {
    this.#touchSet(set.name);
    this.#sets.put(owner, set.name, set);
  }

  #putChain(owner: string, chain: Chain): void {
    this.#touchChain(chain.name);
    this.#uses.replace(this.#chains.values.get(chain.name), chain);
    this.#chains.put(owner, chain.name, chain);
  }

  #show(name: string): void {
    const [members, entry] = [this.#idle.get(name), this.#memberSets.get(name)];
    if (members === undefined || entry === undefined) return;
    this.#idle.delete(name);
    this.#putSet(entry.owner, entry.set);
    if (members.size > 0) this.#elements.set(name, members);
    this.#touchAll(name, members.keys(), () => undefined);
  }

  #hide(name: string): void {
    const entry = this.#memberSets.get(name);
    if (entry === undefined || this.#idle.has(name)) return;
    const members = this.#elements.get(name) ?? new Map<ElementKey, ElementValue>();
    this.#touchAll(name, members.keys(), key => members.get(key));
    this.#elements.delete(name);
    this.#idle.set(name, members);
    this.#touchSet(name);
    this.#sets.release(entry.owner, name);
  }

  #claim(owner: string, set: string, key: ElementKey, value: ElementValue): void {
    const place = `${set} ${key}`;
    const claims = this.#claims.get(place) ?? new Map<string, ElementValue>();
    this.#claims.set(place, claims.set(owner, value));
    this.#settle(set, key, claims);
  }

  #unclaim(owner: string, set: string, key: ElementKey): void {
    const place = `${set} ${key}`;
    const claims = this.#claims.get(place) ?? new Map<string, ElementValue>();
    claims.delete(owner);
    if (claims.size === 0) this.#claims.delete(place);
    this.#settle(set, key, claims);
  }

  #settle(set: string, key: ElementKey, claims: ReadonlyMap<string, ElementValue>): void {
    const first = [...claims.keys()].reduce<string | undefined>(
      (a, b) => (a === undefined || b < a ? b : a),
      undefined,
    );
    this.#setElement(set, key, first === undefined ? undefined : claims.get(first));
  }

  #setElement(set: string, key: ElementKey, value: ElementValue | undefined): void {
    const elements = this.#elements.get(set) ?? new Map<ElementKey, ElementValue>();
    this.#touchAll(set, [key], () => elements.get(key));
    if (value === undefined) elements.delete(key);
    else elements.set(key, value);
    if (elements.size === 0) this.#elements.delete(set);
    else this.#elements.set(set, elements);
  }

  #touchAll(
    set: string,
    keys: Iterable<ElementKey>,
    valueOf: (key: ElementKey) => ElementValue | undefined,
  ): void {
    const touched = this.#touchedElements.get(set) ?? new Map<ElementKey, ElementValue | undefined>();
    for (const key of keys) if (!touched.has(key)) touched.set(key, valueOf(key));
    this.#touchedElements.set(set, touched);
  }

  #touchSet(name: string): void {
    if (!this.#touchedSets.has(name)) this.#touchedSets.set(name, this.#sets.values.get(name));
  }

  #touchChain(name: string): void {
    if (!this.#touchedChains.has(name)) this.#touchedChains.set(name, this.#chains.values.get(name));
  }

  #setChanges(): RulesetPatch['sets'] {
    const changes = [...this.#touchedSets].map(
      ([name, before]) => [name, { before, after: this.#sets.values.get(name) }] as const,
    );
    return new Map(
      changes.filter(([, { before, after }]) => (before === undefined) !== (after === undefined)),
    );
  }

  #chainChanges(): RulesetPatch['chains'] {
    const changes = new Map<string, ChainChange>();
    for (const [name, chain] of this.#touchedChains) {
      const after = this.#chains.values.get(name);
      if (chain === after) continue;
      const before = chain === undefined ? undefined : snapshotOf(chain);
      if (!sameChain(before, after)) changes.set(name, { before, after });
    }
    return changes;
  }

  #elementChanges(): RulesetPatch['elements'] {
    const changed = new Map<
      string,
      Map<ElementKey, { before: ElementValue | undefined; after: ElementValue | undefined }>
    >();
    for (const [set, touched] of this.#touchedElements) {
      const now = this.#elements.get(set);
      const changes = [...touched]
        .map(([key, before]) => [key, { before, after: now?.get(key) }] as const)
        .filter(([, { before, after }]) => !sameElement(before, after));
      if (changes.length > 0) changed.set(set, new Map(changes));
    }
    return changed;
  }
}
