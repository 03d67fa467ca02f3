import { MultiMap } from '../../base/index.js';
import type { ActiveRules, Direction, PolicyId, ProfileId, SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import type { Elements, NftSet, Rule } from './model.js';
import { kernelRules, labelled } from './policy-rules.js';
import type { LabelledRule, Outcome, RuleContext } from './policy-rules.js';
import { withoutPort } from './port-index.js';
import { remembering } from './remembering.js';
import { setsOf } from './sets-of-rules.js';
import { compilePolicyList, compileProfileList } from './policy-list.js';
import type { CompiledList, LabelledRules, PolicyListKey, RuleSource } from './policy-list.js';

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

const missing: ActiveRules = {
  ingress: [{ action: 'deny', match: {} }],
  egress: [{ action: 'deny', match: {} }],
};

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
  readonly #context: RuleContext;
  /** by `policy ID` or `profile ID`: its rules, until kernel rules have to be made of them anew */
  readonly #rules = new Map<string, LabelledRules>();
  /** by text of the outcome: what makes kernel rules for it */
  readonly #renderers = new Map<string, (rule: LabelledRule) => readonly Rule[]>();
  readonly #source: RuleSource = {
    policy: id => this.#rulesOf('policy', id, this.#policies.get(id)),
    profile: id => this.#rulesOf('profile', id, this.#profiles.get(id)),
    withoutPort: remembering(withoutPort),
    renderer: outcome => this.#renderer(outcome),
  };

  constructor(desired: DesiredRuleset, context: RuleContext) {
    this.#desired = desired;
    this.#context = context;
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
    for (const part of this.#usingSet.get(id)) {
      this.#rules.delete(part);
      this.#mark(part);
    }
  }

  /** Packets are logged otherwise than before. */
  logChanged(): void {
    this.#rules.clear();
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
    this.#rules.delete(part);
    this.#mark(part);
  }

  #rulesOf(kind: LabelledRule['owner']['kind'], name: string, own = missing): LabelledRules {
    const part = `${kind} ${name}`;
    const rules = this.#rules.get(part) ?? {
      ingress: labelled(kind, name, own.ingress),
      egress: labelled(kind, name, own.egress),
    };
    if (own !== missing) this.#rules.set(part, rules);
    return rules;
  }

  #renderer(outcome: Outcome): (rule: LabelledRule) => readonly Rule[] {
    const text = JSON.stringify(outcome);
    const renderer =
      this.#renderers.get(text) ?? remembering(rule => kernelRules(rule, outcome, this.#context));
    this.#renderers.set(text, renderer);
    return renderer;
  }

  #mark(part: string): void {
    for (const name of this.#containing.get(part)) this.#stale.add(name);
  }
}
