import { MultiMap } from '../../base/index.js';
import type { ActiveRules, PolicyId, ProfileId, SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import type { HeldLists, ListKey } from './list-key.js';
import { ListSlots } from './list-slots.js';
import type { Slot } from './list-slots.js';
import type { Elements, NftSet, Rule } from './model.js';
import { RuleMerger } from './merge-rules.js';
import { kernelRules, labelled } from './policy-rules.js';
import type { LabelledRule, Outcome, RuleContext } from './policy-rules.js';
import { createPortIndexer } from './port-index.js';
import { remembering } from './remembering.js';
import { setsOf } from './sets-of-rules.js';
import type { UnionNames } from './union-sets.js';
import { withUnions } from './with-unions.js';
import {
  compileProfiles,
  compileTier,
  compileTiers,
  listOwner,
  policyOwner,
  profileOwner,
} from './policy-list.js';
import type { CompiledList, LabelledRules, RuleSource } from './policy-list.js';

const missing: ActiveRules = {
  ingress: [{ action: 'deny', match: {} }],
  egress: [{ action: 'deny', match: {} }],
};

function partsOf(key: ListKey): ReadonlySet<string> {
  if (key.kind === 'tiers') return new Set();
  return new Set(
    key.kind === 'tier' ? key.policies.map(id => `policy ${id}`) : key.profiles.map(id => `profile ${id}`),
  );
}

interface ListContext extends RuleContext {
  readonly unions: UnionNames;
}

/**
 * The chains of all lists in use, each compiled once however many endpoints share it. What changes marks the
 * lists that contain it; `compile` does only those.
 */
export class Lists {
  readonly #desired: DesiredRuleset;
  readonly #policies = new Map<PolicyId, ActiveRules>();
  readonly #profiles = new Map<ProfileId, ActiveRules>();
  readonly #slots = new ListSlots();
  /** by `policy ID` or `profile ID`: the slots of the lists that contain it */
  readonly #containing = new MultiMap<string, Slot>();
  /** by set: `policy ID` and `profile ID` of those that look it up */
  readonly #usingSet = new MultiMap<SetId, string>();
  /** what stands where */
  readonly #placed = new Map<Slot, ListKey>();
  readonly #partsOf = remembering(partsOf);
  readonly #stale = new Set<Slot>();
  readonly #context: ListContext;
  /** by `policy ID` or `profile ID`: its rules, until kernel rules have to be made of them anew */
  readonly #rules = new Map<string, LabelledRules>();
  /** by text of the outcome: what makes kernel rules for it */
  readonly #renderers = new Map<string, (rule: LabelledRule) => readonly Rule[]>();
  readonly #merges = new RuleMerger();
  readonly #source: RuleSource = {
    policy: id => this.#rulesOf('policy', id, this.#policies.get(id)),
    profile: id => this.#rulesOf('profile', id, this.#profiles.get(id)),
    portIndex: createPortIndexer(),
    merge: (rules, place) => this.#merges.merge(rules, place),
    renderer: outcome => this.#renderer(outcome),
  };

  constructor(desired: DesiredRuleset, context: ListContext) {
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
    this.#replace(policyOwner(id), this.#policies.get(id), rules);
    if (rules === undefined) this.#policies.delete(id);
    else this.#policies.set(id, rules);
  }

  setProfile(id: ProfileId, rules: ActiveRules | undefined): void {
    this.#replace(profileOwner(id), this.#profiles.get(id), rules);
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
    for (const slot of this.#placed.keys()) this.#stale.add(slot);
  }

  /** An endpoint that used some lists uses others; where those stand is known after `settle`. */
  hold(former: HeldLists, now: HeldLists): void {
    this.#slots.hold(former, now);
  }

  /** Ends the changes of users: each list in use has its place. */
  settle(): void {
    const { began, ended } = this.#slots.settle();
    const others = new Map<Slot, ListKey | undefined>(ended.map(({ slot }) => [slot, undefined]));
    for (const { key, slot } of began) others.set(slot, key);
    for (const [slot, key] of others) {
      const [former, now] = [this.#partsIn(this.#placed.get(slot)), this.#partsIn(key)];
      for (const part of former.difference(now)) this.#containing.delete(part, slot);
      for (const part of now.difference(former)) this.#containing.add(part, slot);
      if (key === undefined) this.#placed.delete(slot);
      else this.#placed.set(slot, key);
      this.#stale.add(slot);
    }
  }

  /** Name of the chain at which the list begins. */
  nameOf(key: ListKey): string {
    return this.#slots.slotOf(key).name;
  }

  /** Brings the chains of the marked lists up to date. */
  compile(): void {
    for (const slot of this.#stale) {
      const key = this.#placed.get(slot);
      if (key === undefined) this.#remove(slot);
      else this.#put(slot, this.#compiled(slot, key));
    }
    this.#stale.clear();
  }

  #compiled(slot: Slot, key: ListKey): CompiledList {
    switch (key.kind) {
      case 'tier':
        return compileTier(slot, key, this.#source);
      case 'tiers':
        return compileTiers(
          slot,
          [...key.tiers.values()].map(tier => ({ isLast: tier.isLast, name: this.nameOf(tier) })),
        );
      case 'profiles':
        return compileProfiles(slot, key, this.#source);
    }
  }

  #put(slot: Slot, { chains, maps }: CompiledList): void {
    const sets: NftSet[] = maps.map(({ map }) => map);
    const elements = new Map<string, Elements>(maps.map(entry => [entry.map.name, entry.elements]));
    this.#desired.put(listOwner(slot), { chains, sets, elements });
  }

  #remove(slot: Slot): void {
    this.#desired.remove(listOwner(slot));
    this.#endMerges(listOwner(slot));
  }

  #endMerges(owner: string): void {
    this.#merges.end(owner);
    this.#context.unions.end(owner);
  }

  #replace(part: string, former: ActiveRules | undefined, rules: ActiveRules | undefined): void {
    for (const set of setsOf(former)) this.#usingSet.delete(set, part);
    for (const set of setsOf(rules)) this.#usingSet.add(set, part);
    if (rules === undefined) this.#endMerges(part);
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
    const renderer = this.#renderers.get(text) ?? this.#newRenderer(outcome);
    this.#renderers.set(text, renderer);
    return renderer;
  }

  #newRenderer(outcome: Outcome): (rule: LabelledRule) => readonly Rule[] {
    const one = remembering((rule: LabelledRule) => kernelRules(rule, outcome, this.#context));
    return rule => withUnions(rule, this.#context.unions).flatMap(one);
  }

  #partsIn(key: ListKey | undefined): ReadonlySet<string> {
    return key === undefined ? new Set() : this.#partsOf(key);
  }

  #mark(part: string): void {
    for (const slot of this.#containing.get(part)) this.#stale.add(slot);
  }
}
