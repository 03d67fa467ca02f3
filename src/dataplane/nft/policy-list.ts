import type { ActiveRule, Direction, PolicyId, ProfileId, Stage } from '../../policy/index.js';
import { dropFor } from './drops.js';
import type { Chain, Elements, NftSet, Rule, Verdict } from './model.js';
import { contentName, policyChainName, policyListName, profileChainName, profileListName } from './names.js';
import { earlierTier, inProfile, lastTier } from './policy-rules.js';
import type { LabelledRule, Outcome } from './policy-rules.js';
import { portIndex } from './port-index.js';
import type { PortIndex } from './port-index.js';
import { mergeRules } from './merge-rules.js';
import { makeRule } from './rule-text.js';

export type LabelledRules = Readonly<Record<Direction, readonly LabelledRule[]>>;

/** What the lists look up; equal answers are the same objects while nothing has changed about them. */
export interface RuleSource {
  /** by direction; one that is not there denies (fail closed) */
  readonly policy: (id: PolicyId) => LabelledRules;
  readonly profile: (id: ProfileId) => LabelledRules;
  readonly withoutPort: (rule: LabelledRule) => LabelledRule;
  /** what makes kernel rules where actions lead there */
  readonly renderer: (outcome: Outcome) => (rule: LabelledRule) => readonly Rule[];
}

/** Objects of the table that exist because of one list; equal ones of several lists are the same object. */
export interface CompiledList {
  readonly chains: readonly Chain[];
  readonly maps: readonly { readonly map: NftSet; readonly elements: Elements }[];
}

const end = makeRule([], dropFor('no-rule-matched'));

function join(lists: readonly CompiledList[]): CompiledList {
  return { chains: lists.flatMap(list => list.chains), maps: lists.flatMap(list => list.maps) };
}

function buckets(index: PortIndex, render: (rules: readonly LabelledRule[]) => readonly Rule[]) {
  const chains = new Map<string, Chain>();
  const elements = new Map<string, Verdict>();
  for (const [key, bucket] of index.buckets) {
    const rules = [...render(bucket), end];
    const name = contentName('b-', rules.map(rule => rule.fingerprint).join());
    chains.set(name, { name, rules });
    elements.set(key, { kind: 'goto', chain: name });
  }
  return { chains: [...chains.values()], elements };
}

function indexed(
  name: string,
  index: PortIndex,
  render: (rules: readonly LabelledRule[]) => readonly Rule[],
): CompiledList {
  const { chains, elements } = buckets(index, render);
  const map: NftSet = {
    name: contentName('x-', JSON.stringify([...elements])),
    key: ['inet_proto', 'inet_service'],
    verdicts: true,
    size: elements.size,
  };
  const rules = [
    makeRule([], { kind: 'dispatch', key: 'protocol-and-port', map: map.name }),
    ...render(index.wild),
    end,
  ];
  return { chains: [...chains, { name, rules }], maps: [{ map, elements }] };
}

/** So many policies for one merged rule are worth a list of its own. */
const fewAmong = 4;

function passes(rules: readonly ActiveRule[]): boolean {
  return rules.some(rule => rule.action === 'pass');
}

/**
 * A tier as a list of jumps to the policies' chains. Where `pass` leads elsewhere than to the profiles, the
 * shared chain of a policy would lead astray, so its rules stand in the list itself.
 */
function plain(request: TierRequest, source: RuleSource): CompiledList {
  const { direction, stage, policies, outcome, isLast, name } = request;
  const chains: Chain[] = [];
  const rules = policies.flatMap(id => {
    const own = source.policy(id)[direction];
    const render = (to: Outcome): readonly Rule[] => mergeRules(own).flatMap(source.renderer(to));
    if (!isLast && passes(own)) return render(outcome);
    const chain: Chain = {
      name: policyChainName(direction, id, stage),
      rules: render(lastTier(direction, stage)),
    };
    chains.push(chain);
    return [makeRule([], { kind: 'jump', chain: chain.name }, id)];
  });
  return { chains: [...chains, { name, rules: [...rules, end] }], maps: [] };
}

interface TierRequest {
  readonly name: string;
  readonly direction: Direction;
  readonly stage: Stage;
  readonly policies: readonly PolicyId[];
  readonly outcome: Outcome;
  readonly isLast: boolean;
}

/** An ordered list of policies by tier; tiers without a policy in that direction are left out. */
export interface PolicyListKey {
  readonly direction: Direction;
  readonly stage: Stage;
  readonly tiers: readonly (readonly PolicyId[])[];
}

/** The chains for a list of policies: the one of its name is where it begins. */
export function compilePolicyList(key: PolicyListKey, source: RuleSource): CompiledList {
  return key.stage === 'normal' || key.stage === 'forward'
    ? decisiveList(key, source)
    : earlyList(key, source);
}

/** A tier that ends with a verdict for every packet, but for what an earlier tier than the last passes. */
function decisiveTier(request: TierRequest, source: RuleSource): CompiledList {
  const { name, direction, policies, outcome } = request;
  const rules = mergeRules(policies.flatMap(id => source.policy(id)[direction]));
  const rendered = source.renderer(outcome);
  const render = (some: readonly LabelledRule[]): readonly Rule[] => mergeRules(some).flatMap(rendered);
  const index = portIndex(rules, source.withoutPort);
  if (index !== undefined) return indexed(name, index, render);
  // Chains of policies are shared by all lists: they are left out only where the rules of many became few.
  return rules.length * fewAmong < policies.length
    ? { chains: [{ name, rules: [...render(rules), end] }], maps: [] }
    : plain(request, source);
}

/**
 * Ends with a verdict for every packet. Several tiers are jumped to one after the other, and what one passes comes
 * back: so the depth is the same however many there are. The kernel allows 15 chains, and all are needed on the
 * longest way: from a workload to its host, through list, tier, bucket and profiles of both directions.
 */
function decisiveList({ direction, stage, tiers }: PolicyListKey, source: RuleSource): CompiledList {
  const last = tiers.at(-1);
  if (last === undefined) return { chains: [], maps: [] };
  const name = policyListName(direction, [last], stage);
  const common = { direction, stage } as const;
  const request = { ...common, name, policies: last, outcome: lastTier(direction, stage), isLast: true };
  const decided = decisiveTier(request, source);
  if (tiers.length === 1) return decided;
  const earlier = tiers.slice(0, -1).map(policies => {
    const tier = contentName('t-', JSON.stringify([direction, stage, policies]));
    const outcome = earlierTier(direction, stage);
    return { tier, list: decisiveTier({ ...common, name: tier, policies, outcome, isLast: false }, source) };
  });
  const rules = [
    ...earlier.map(({ tier }) => makeRule([], { kind: 'jump', chain: tier })),
    makeRule([], { kind: 'goto', chain: name }),
  ];
  const list = { chains: [{ name: policyListName(direction, tiers, stage), rules }], maps: [] };
  return join([...earlier.map(each => each.list), decided, list]);
}

/** Returns without a verdict where no policy decides: each tier is a chain, so that `pass` can leave it. */
function earlyList({ direction, stage, tiers }: PolicyListKey, source: RuleSource): CompiledList {
  const outcome = earlierTier(direction, stage);
  const chains = tiers.map((policies, index): Chain => ({
    name: contentName('t-', JSON.stringify([direction, stage, policies, index])),
    rules: policies.flatMap(id => source.policy(id)[direction]).flatMap(source.renderer(outcome)),
  }));
  const jumps = chains.map(chain => makeRule([], { kind: 'jump', chain: chain.name }));
  return { chains: [...chains, { name: policyListName(direction, tiers, stage), rules: jumps }], maps: [] };
}

/** The chains for an ordered list of profiles; the one of that name is where it begins. */
export function compileProfileList(
  direction: Direction,
  profiles: readonly ProfileId[],
  source: RuleSource,
): CompiledList {
  const chains = profiles.map(id => ({
    name: profileChainName(direction, id),
    rules: mergeRules(source.profile(id)[direction]).flatMap(source.renderer(inProfile(direction))),
  }));
  const jumps = chains.map(({ name }, index) => makeRule([], { kind: 'jump', chain: name }, profiles[index]));
  const last = makeRule([], dropFor('no-profile-matched'));
  return {
    chains: [...chains, { name: profileListName(direction, profiles), rules: [...jumps, last] }],
    maps: [],
  };
}
