import { sameValue } from './same-value.js';
import type { Changes } from './effective-labels.js';

export interface Difference<Id, Value> {
  readonly updated: readonly (readonly [Id, Value])[];
  readonly removed: readonly Id[];
}

/** What the dataplane was last told of one kind of object. */
export class Sent<Id, Value> {
  readonly #values = new Map<Id, Value>();

  /** Takes what objects are now; answers with those that differ from what was sent, and notes them as sent. */
  take(now: Changes<Id, Value>): Difference<Id, Value> {
    const updated: (readonly [Id, Value])[] = [];
    const removed: Id[] = [];
    for (const [id, value] of now) {
      if (value === undefined) {
        if (this.#values.delete(id)) removed.push(id);
      } else if (!sameValue(this.#values.get(id), value)) {
        this.#values.set(id, value);
        updated.push([id, value]);
      }
    }
    return { updated, removed };
  }

  values(): MapIterator<Value> {
    return this.#values.values();
  }
}
