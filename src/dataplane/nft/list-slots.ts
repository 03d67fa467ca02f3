import type { HeldLists, ListKey } from './list-key.js';
import { noLists } from './list-key.js';
import { slotName } from './names.js';
import { PolicyJumps } from './policy-jumps.js';
import { PortMap } from './port-map.js';

/**
 * The place of a list in the table. It outlives the list: when all that used one list use a new one, that takes
 * the place over, so that nothing which leads there has to change.
 */
export interface Slot {
  /** of the chain at which the list begins, as long as the slot is in use */
  readonly name: string;
  readonly portMap: PortMap;
  readonly policyJumps: PolicyJumps;
}

interface List {
  readonly key: ListKey;
  users: number;
  slot: Slot | undefined;
}

/** A list that has a place from now on, or none any more. */
interface PlacedList {
  readonly key: ListKey;
  readonly slot: Slot;
}

export interface SlotChanges {
  readonly began: readonly PlacedList[];
  /** their slots may be those of lists that began */
  readonly ended: readonly PlacedList[];
}

/** So many users of one list use another since the last time. */
interface Move {
  readonly from: List & { readonly slot: Slot };
  readonly to: List;
  readonly users: number;
}

function compareMoves(a: Move, b: Move): number {
  if (a.users !== b.users) return b.users - a.users;
  const [left, right] = [a, b].map(({ from, to }) => `${to.key.content} ${from.key.content}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

/** Which lists are in use, and where each stands in the table. */
export class ListSlots {
  /** by content */
  readonly #lists = new Map<string, List>();
  /** of slots in use */
  readonly #names = new Set<string>();
  /** have more or fewer users since the last time */
  #touched = new Set<List>();
  /** by content of the list that is used, then of the one that was: how many users */
  #moves = new Map<string, Map<string, number>>();
  /** not yet counted: how many went from these lists to those; most of those who change go the same way */
  #changes = new Map<HeldLists, Map<HeldLists, number>>();

  /** Somebody who used some lists uses others. */
  hold(former: HeldLists, now: HeldLists): void {
    if (former === now) return;
    const changes = this.#changes.get(former) ?? new Map<HeldLists, number>();
    this.#changes.set(former, changes.set(now, (changes.get(now) ?? 0) + 1));
  }

  /** Gives each list that is new a place; lists of tiers first, because they use others. */
  settle(): SlotChanges {
    const tiers = this.#settle(key => key.kind === 'tiers');
    // What lists of tiers hold has changed meanwhile.
    const others = this.#settle(key => key.kind !== 'tiers');
    this.#touched = new Set();
    this.#moves = new Map();
    return { began: [...tiers.began, ...others.began], ended: [...tiers.ended, ...others.ended] };
  }

  /** Where the list stands: it must be in use, and settled. */
  slotOf({ content }: ListKey): Slot {
    const slot = this.#lists.get(content)?.slot;
    if (slot === undefined) throw new Error(`the list ${content} has no place`);
    return slot;
  }

  #count(): void {
    for (const [former, changes] of this.#changes) {
      for (const [now, users] of changes) this.#countUsers(former, now, users);
    }
    this.#changes = new Map();
  }

  #countUsers(former: HeldLists, now: HeldLists, users: number): void {
    for (const [place, key] of now) {
      this.#addUsers(key, users);
      const before = former.get(place);
      if (before !== undefined && before.content !== key.content) {
        const moves = this.#moves.get(key.content) ?? new Map<string, number>();
        moves.set(before.content, (moves.get(before.content) ?? 0) + users);
        this.#moves.set(key.content, moves);
      }
    }
    for (const key of former.values()) this.#addUsers(key, -users);
  }

  #addUsers(key: ListKey, users: number): void {
    const list = this.#lists.get(key.content) ?? { key, users: 0, slot: undefined };
    list.users += users;
    this.#lists.set(key.content, list);
    this.#touched.add(list);
  }

  #settle(concerns: (key: ListKey) => boolean): SlotChanges {
    this.#count();
    const touched = [...this.#touched].filter(({ key }) => concerns(key));
    const began = touched.filter(({ users, slot }) => users > 0 && slot === undefined);
    const ended = touched.flatMap(({ key, users, slot }) => (users === 0 && slot ? [{ key, slot }] : []));
    const successors = this.#successors(began);
    for (const { key, slot } of ended) {
      if (!successors.has(key.content)) {
        this.#names.delete(slot.name);
        this.#holdTiers(key, undefined);
      }
    }
    for (const [content, to] of successors) this.#holdTiers(this.#lists.get(content)?.key, to.key);
    for (const list of touched) if (list.users === 0) this.#lists.delete(list.key.content);
    return { began: began.map(list => ({ key: list.key, slot: this.#placed(list) })), ended };
  }

  /** By content of the list that ended: the one that takes its place, each by the most of its users. */
  #successors(began: readonly List[]): ReadonlyMap<string, List> {
    const moves = began.flatMap(to =>
      [...(this.#moves.get(to.key.content) ?? [])].flatMap(([content, users]): readonly Move[] => {
        const from = this.#lists.get(content);
        const isFree = from?.users === 0 && from.slot !== undefined && from.key.kind === to.key.kind;
        return isFree && from.slot ? [{ from: { ...from, slot: from.slot }, to, users }] : [];
      }),
    );
    const successors = new Map<string, List>();
    for (const { from, to } of moves.sort(compareMoves)) {
      if (to.slot !== undefined || successors.has(from.key.content)) continue;
      to.slot = from.slot;
      successors.set(from.key.content, to);
    }
    return successors;
  }

  /** The list's place: where it has none yet, a new one. */
  #placed(list: List): Slot {
    if (list.slot !== undefined) return list.slot;
    let name = list.key.content;
    // Another list may have begun under that name and been followed by one that still stands there.
    for (let again = 1; this.#names.has(name); again++) name = slotName(list.key.content, again);
    this.#names.add(name);
    list.slot = { name, portMap: new PortMap(), policyJumps: new PolicyJumps() };
    this.#holdTiers(undefined, list.key);
    return list.slot;
  }

  #holdTiers(former: ListKey | undefined, now: ListKey | undefined): void {
    const tiersOf = (key: ListKey | undefined): HeldLists => (key?.kind === 'tiers' ? key.tiers : noLists);
    this.hold(tiersOf(former), tiersOf(now));
  }
}
