import { MultiMap } from '../../base/index.js';
import type { Logger } from '../../base/index.js';
import { widthOf } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';
import type { SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import { addressSetName, nextUnionId } from './names.js';
import { PrefixSets } from './prefix-sets.js';
import type { Member } from './prefix-sets.js';

const families = [4, 6] as const;

/** Each takes some 60 bytes of the agent and 100 of the kernel: with more, rules look up one set each. */
const mostMembers = 500_000;

/** What a rule needs that stands for many. */
export interface UnionRequest {
  /** who has the rule: a list, policy or profile */
  readonly owner: string;
  /** which of the owner's rules it is: when it asks for other sets, it does not need the former union any more */
  readonly at: string;
  /** stands for the sets */
  readonly content: SetId;
  /** sorted, each once */
  readonly sets: readonly SetId[];
}

/** For those who make rules. */
export interface UnionNames {
  /** What to look up for the union: like the id of a set; undefined when there are too many members. */
  readonly of: (request: UnionRequest) => SetId | undefined;
  /** The owner is gone. */
  readonly end: (owner: string) => void;
}

/** What a union takes over of an IP set. */
export type UnionPart = Pick<PrefixSets, 'size' | 'lengths' | 'members'>;

interface Union {
  readonly id: SetId;
  content: SetId;
  parts: readonly SetId[];
  /** members of the parts together, when they were asked for */
  size: number;
  /** who has asked for it, and would have to be asked before it becomes another */
  readonly places: Set<string>;
  /** undefined until a rule looks it up */
  sets: PrefixSets | undefined;
  /** by address and length: in how many parts besides one, where that is not none */
  readonly more: Map<string, number>;
}

function textOf({ key, length }: Member): string {
  return `${key}/${String(length)}`;
}

/** Of the kernel sets that are looked up wherever the union is. */
function namesOf({ id }: Union): readonly string[] {
  return families.map(version => addressSetName(id, version, widthOf(version)));
}

/**
 * Unions of IP sets, for rules that stand for many which differ in their set. A union has its members in kernel sets
 * of its own while a rule looks it up, and follows what changes in its parts. Who is the first to ask for some sets
 * shares what others have for the same sets; who asks for other sets at the same place keeps what he has, with what
 * differs changed, unless others share it.
 */
export class UnionSets implements UnionNames {
  readonly #desired: DesiredRuleset;
  readonly #part: (id: SetId) => UnionPart | undefined;
  readonly #unions = new Map<SetId, Union>();
  readonly #byContent = new Map<SetId, Union>();
  readonly #byName = new Map<string, Union>();
  readonly #byPlace = new Map<string, Union>();
  readonly #placesOf = new MultiMap<string, string>();
  /** by part: the unions in kernel sets */
  readonly #following = new MultiMap<SetId, Union>();
  /** asked for since the last `settle` */
  #fresh = new Set<Union>();
  /** of all unions */
  #size = 0;
  readonly #log: Logger;
  #hasWarned = false;

  constructor(parts: {
    readonly desired: DesiredRuleset;
    /** what is in an IP set */
    readonly part: (id: SetId) => UnionPart | undefined;
    readonly log: Logger;
  }) {
    this.#desired = parts.desired;
    this.#part = parts.part;
    this.#log = parts.log;
  }

  of(request: UnionRequest): SetId | undefined {
    const place = `${request.owner}\n${request.at}`;
    const union = this.#at(place, request);
    if (union === undefined) return undefined;
    union.places.add(place);
    this.#byPlace.set(place, union);
    this.#placesOf.add(request.owner, place);
    this.#fresh.add(union);
    return union.id;
  }

  end(owner: string): void {
    for (const place of this.#placesOf.get(owner)) this.#leave(place);
    this.#placesOf.deleteKey(owner);
  }

  /** As of a set: longest first; undefined when there is no such union. */
  lengthsOf(id: SetId, version: IpVersion): readonly number[] | undefined {
    const union = this.#unions.get(id);
    if (union === undefined) return undefined;
    const lengths = new Set([widthOf(version)]);
    for (const part of union.parts) {
      const own = this.#part(part)?.lengths(version) ?? [];
      // Of most sets the members are hosts.
      if (own.length > 1) for (const length of own) lengths.add(length);
    }
    return [...lengths].sort((a, b) => b - a);
  }

  /** The set has one more member. */
  added(id: SetId, member: Member): void {
    for (const union of this.#following.get(id)) this.#add(union, member);
  }

  /** The set has one member less. */
  removed(id: SetId, member: Member): void {
    for (const union of this.#following.get(id)) this.#delete(union, member);
  }

  /** Fills what rules look up now, and forgets the rest. `changed`: names of kernel sets whose use has changed. */
  settle(changed: ReadonlySet<string>): void {
    const touched = this.#fresh;
    this.#fresh = new Set();
    for (const name of changed) {
      const union = this.#byName.get(name);
      if (union !== undefined) touched.add(union);
    }
    for (const union of touched) {
      if (!namesOf(union).some(name => this.#desired.isUsed(name))) this.#forget(union);
      else if (union.sets === undefined) this.#fill(union);
    }
  }

  #at(place: string, request: UnionRequest): Union | undefined {
    const current = this.#byPlace.get(place);
    if (current === undefined) return this.#byContent.get(request.content) ?? this.#create(request);
    if (current.content === request.content) return current;
    const size = this.#sizeOf(request);
    if (current.places.size === 1 && this.#size - current.size + size <= mostMembers) {
      this.#change(current, request, size);
      return current;
    }
    this.#leave(place);
    return this.#create(request);
  }

  #leave(place: string): void {
    this.#byPlace.get(place)?.places.delete(place);
    this.#byPlace.delete(place);
  }

  #sizeOf({ sets }: UnionRequest): number {
    return sets.reduce((sum, part) => sum + (this.#part(part)?.size ?? 0), 0);
  }

  #create(request: UnionRequest): Union | undefined {
    const size = this.#sizeOf(request);
    if (this.#size + size > mostMembers) return this.#refuse(request);
    const { content, sets: parts } = request;
    // Another may have begun with this content, and be something else now.
    let id = content;
    while (this.#unions.has(id)) id = nextUnionId(id);
    const union: Union = {
      id,
      content,
      parts,
      size,
      places: new Set(),
      sets: undefined,
      more: new Map(),
    };
    this.#size += union.size;
    this.#unions.set(id, union);
    this.#byContent.set(content, union);
    for (const name of namesOf(union)) this.#byName.set(name, union);
    return union;
  }

  #refuse({ owner, sets }: UnionRequest): undefined {
    if (this.#hasWarned) return undefined;
    this.#hasWarned = true;
    this.#log.warn(
      'too many members to look up many selectors at once: rules are tried one by one, which slows down the first packet of flows',
      { rules: owner, selectors: sets.length, members: this.#size, most: mostMembers },
    );
    return undefined;
  }

  #forget(union: Union): void {
    union.sets?.remove();
    this.#size -= union.size;
    this.#unions.delete(union.id);
    if (this.#byContent.get(union.content) === union) this.#byContent.delete(union.content);
    for (const name of namesOf(union)) this.#byName.delete(name);
    for (const place of union.places) this.#byPlace.delete(place);
    for (const part of union.parts) this.#following.delete(part, union);
  }

  #fill(union: Union): void {
    union.sets = new PrefixSets(this.#desired, union.id);
    for (const part of union.parts) this.#follow(union, part);
    this.#addLengths(union);
  }

  /** Rules look up a kernel set for each length, even where there is no member yet. */
  #addLengths({ id, sets }: Union): void {
    for (const version of families)
      for (const length of this.lengthsOf(id, version) ?? []) sets?.addLength(version, length);
  }

  #change(union: Union, request: UnionRequest, size: number): void {
    const [before, after] = [new Set(union.parts), new Set(request.sets)];
    if (this.#byContent.get(union.content) === union) this.#byContent.delete(union.content);
    this.#size += size - union.size;
    union.size = size;
    union.content = request.content;
    union.parts = request.sets;
    if (!this.#byContent.has(union.content)) this.#byContent.set(union.content, union);
    if (union.sets === undefined) return;
    // What the new ones have as well never goes.
    for (const part of after.difference(before)) this.#follow(union, part);
    for (const part of before.difference(after)) this.#unfollow(union, part);
    this.#addLengths(union);
  }

  #follow(union: Union, part: SetId): void {
    this.#following.add(part, union);
    for (const member of this.#part(part)?.members() ?? []) this.#add(union, member);
  }

  #unfollow(union: Union, part: SetId): void {
    this.#following.delete(part, union);
    for (const member of this.#part(part)?.members() ?? []) this.#delete(union, member);
  }

  #add({ sets, more }: Union, member: Member): void {
    if (sets?.add(member) !== false) return;
    const text = textOf(member);
    more.set(text, (more.get(text) ?? 0) + 1);
  }

  #delete({ sets, more }: Union, member: Member): void {
    const text = textOf(member);
    const others = more.get(text);
    if (others === undefined) sets?.delete(member);
    else if (others === 1) more.delete(text);
    else more.set(text, others - 1);
  }
}
