import { MultiMap } from '../base/index.js';
import { matches } from '../selector/index.js';
import { labelKeys, requirement } from './requirement.js';
import type { Labels } from './model.js';
import type { LabelKey } from './requirement.js';
import type { Selector } from '../selector/index.js';

/**
 * Which labelled items each selector matches, kept while both change. A change evaluates only candidates:
 * selectors that demand one of the item's labels, or items that have one of the labels a selector demands.
 */
export class LabelIndex<Item, Query> {
  readonly #labels = new Map<Item, Labels>();
  readonly #selectors = new Map<Query, Selector>();
  readonly #itemsByKey = new MultiMap<LabelKey, Item>();
  readonly #queriesByKey = new MultiMap<LabelKey, Query>();
  /** selectors that can be true without any label */
  readonly #unrestricted = new Set<Query>();
  readonly #queriesOf = new MultiMap<Item, Query>();
  readonly #itemsOf = new MultiMap<Query, Item>();
  #evaluations = 0;

  /** Selectors evaluated so far: what the index is there to keep small. */
  get evaluations(): number {
    return this.#evaluations;
  }

  queriesOf(item: Item): ReadonlySet<Query> {
    return this.#queriesOf.get(item);
  }

  itemsOf(query: Query): ReadonlySet<Item> {
    return this.#itemsOf.get(query);
  }

  /** Adds an item, or gives it other labels; undefined takes it away. */
  setItem(item: Item, labels: Labels | undefined): void {
    const before = this.#labels.get(item);
    if (before === labels) return;
    if (before !== undefined) for (const key of labelKeys(before)) this.#itemsByKey.delete(key, item);
    if (labels === undefined) {
      this.#labels.delete(item);
      for (const query of this.#queriesOf.get(item)) this.#unmatch(item, query);
      return;
    }
    this.#labels.set(item, labels);
    const keys = labelKeys(labels);
    for (const key of keys) this.#itemsByKey.add(key, item);
    const candidates = new Set([...this.#queriesOf.get(item), ...this.#unrestricted]);
    for (const key of keys) for (const query of this.#queriesByKey.get(key)) candidates.add(query);
    for (const query of candidates) {
      const selector = this.#selectors.get(query);
      if (selector !== undefined) this.#judge({ item, labels, query, selector });
    }
  }

  /** Adds a selector under a name, or replaces it; undefined takes it away. */
  setQuery(query: Query, selector: Selector | undefined): void {
    this.#forgetQuery(query);
    if (selector === undefined) {
      for (const item of this.#itemsOf.get(query)) this.#unmatch(item, query);
      return;
    }
    this.#selectors.set(query, selector);
    const keys = requirement(selector);
    if (keys === undefined) this.#unrestricted.add(query);
    else for (const key of keys) this.#queriesByKey.add(key, query);
    const candidates = keys === undefined ? new Set(this.#labels.keys()) : new Set(this.#itemsOf.get(query));
    for (const key of keys ?? []) for (const item of this.#itemsByKey.get(key)) candidates.add(item);
    for (const item of candidates) {
      const labels = this.#labels.get(item);
      if (labels !== undefined) this.#judge({ item, labels, query, selector });
    }
  }

  #forgetQuery(query: Query): void {
    const selector = this.#selectors.get(query);
    if (selector === undefined) return;
    this.#selectors.delete(query);
    this.#unrestricted.delete(query);
    for (const key of requirement(selector) ?? []) this.#queriesByKey.delete(key, query);
  }

  #judge(pair: { item: Item; labels: Labels; query: Query; selector: Selector }): void {
    const { item, labels, query, selector } = pair;
    this.#evaluations++;
    if (!matches(selector, labels)) {
      this.#unmatch(item, query);
      return;
    }
    this.#queriesOf.add(item, query);
    this.#itemsOf.add(query, item);
  }

  #unmatch(item: Item, query: Query): void {
    this.#queriesOf.delete(item, query);
    this.#itemsOf.delete(query, item);
  }
}
