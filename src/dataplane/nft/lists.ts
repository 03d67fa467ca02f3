import { MultiMap } from '../../base/index.js';
import type { ActiveRules, Direction, PolicyId, ProfileId, SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import type { LogSettings } from './log-rule.js';
import type { MatchContext } from './match/condition.js';
import type { Elements, NftSet } from './model.js';
import { setsOf } from './sets-of-rules.js';
import { compilePolicyList, compileProfileList } from './policy-list.js';
import type { CompiledList, PolicyListKey, RuleSource } from './policy-list.js';

/** A distinct ordered list of policies (by tier) or of profiles, in one direction. */
export type ListKey = (
  | (PolicyListKey & { readonly kind: 'policies' })
  | { readonly kind: 'profiles'; readonly direction: Direction; readonly profiles: readonly ProfileId[] }
) & {
  /** of the chain at which the list begins */
  readonly name: string;
};

interface List {
  readonly key: ListKey;
  users: number;
}

function partsOf(key: ListKey): readonly string[] {
  return key.kind === 'policies'
    ? key.tiers.flat().map(id => `policy ${id}`)
    : key.profiles.map(id => `profile ${id}`);
}

/**
 * The chains of all lists in use, each compiled once however many endpoints share it. What changes marks the
 * lists that contain it; `compile` does only those.
 */
export class Lists {
  readonly #desired: DesiredRuleset;
  readonly #policies = new Map<PolicyId, ActiveRules>();
  readonly #profiles = new Map<ProfileId, ActiveRules>();
  readonly #lists = new Map<string, List>();
  /** by `policy ID` or `profile ID`: names of the lists that contain it */
  readonly #containing = new MultiMap<string, string>();
  /** by set: `policy ID` and `profile ID` of those that look it up */
  readonly #usingSet = new MultiMap<SetId, string>();
  readonly #stale = new Set<string>();
  readonly #source: RuleSource;

  constructor(
    desired: DesiredRuleset,
    { lengthsOf, log }: { readonly lengthsOf: MatchContext['lengthsOf']; readonly log: () => LogSettings },
  ) {
    this.#desired = desired;
    this.#source = {
      get log() {
        return log();
      },
      policy: id => this.#policies.get(id),
      profile: id => this.#profiles.get(id),
      lengthsOf,
    };
  }

  policy(id: PolicyId): ActiveRules | undefined {
    return this.#policies.get(id);
  }

  profile(id: ProfileId): ActiveRules | undefined {
    return this.#profiles.get(id);
  }

  setPolicy(id: PolicyId, rules: ActiveRules | undefined): void {
    this.#replace(`policy ${id}`, this.#policies.get(id), rules);
    if (rules === undefined) this.#policies.delete(id);
    else this.#policies.set(id, rules);
  }

  setProfile(id: ProfileId, rules: ActiveRules | undefined): void {
    this.#replace(`profile ${id}`, this.#profiles.get(id), rules);
    if (rules === undefined) this.#profiles.delete(id);
    else this.#profiles.set(id, rules);
  }

  /** The kernel sets behind an IP set are others than before. */
  setShapeChanged(id: SetId): void {
    for (const part of this.#usingSet.get(id)) this.#mark(part);
  }

  /** Packets are logged otherwise than before. */
  logChanged(): void {
    for (const name of this.#lists.keys()) this.#stale.add(name);
  }

  /** One more endpoint uses the list; returns the name of its first chain. */
  acquire(key: ListKey): string {
    const { name } = key;
    const list = this.#lists.get(name) ?? { key, users: 0 };
    list.users += 1;
    if (list.users > 1) return name;
    this.#lists.set(name, list);
    for (const part of partsOf(key)) this.#containing.add(part, name);
    this.#stale.add(name);
    return name;
  }

  /** One endpoint less; a list without one is compiled away. */
  release(key: ListKey): void {
    const { name } = key;
    const list = this.#lists.get(name);
    if (list === undefined) return;
    list.users -= 1;
    if (list.users > 0) return;
    this.#lists.delete(name);
    for (const part of partsOf(key)) this.#containing.delete(part, name);
    this.#stale.add(name);
  }

  /** Brings the chains of the marked lists up to date. */
  compile(): void {
    for (const name of this.#stale) {
      const list = this.#lists.get(name);
      if (list === undefined) this.#desired.remove(`list ${name}`);
      else this.#put(name, this.#compiled(list.key));
    }
    this.#stale.clear();
  }

  #compiled(key: ListKey): CompiledList {
    return key.kind === 'policies'
      ? compilePolicyList(key, this.#source)
      : compileProfileList(key.direction, key.profiles, this.#source);
  }

  #put(name: string, { chains, maps }: CompiledList): void {
    const sets: NftSet[] = maps.map(({ map }) => map);
    const elements = new Map<string, Elements>(maps.map(entry => [entry.map.name, entry.elements]));
    this.#desired.put(`list ${name}`, { chains, sets, elements });
  }

  #replace(part: string, former: ActiveRules | undefined, rules: ActiveRules | undefined): void {
    for (const set of setsOf(former)) this.#usingSet.delete(set, part);
    for (const set of setsOf(rules)) this.#usingSet.add(set, part);
    this.#mark(part);
  }

  #mark(part: string): void {
    for (const name of this.#containing.get(part)) this.#stale.add(name);
  }
}
