import type { ActiveRule, Direction, PolicyId, ProfileId } from '../../policy/index.js';
import { dropFor } from './drops.js';
import type { MergePlace } from './merge-rules.js';
import { mustDecide } from './list-key.js';
import type { ProfilesKey, TierKey } from './list-key.js';
import type { Slot } from './list-slots.js';
import type { Chain, Elements, NftSet, Rule } from './model.js';
import { policyChainName, profileChainName } from './names.js';
import { earlierTier, inProfile, lastTier } from './policy-rules.js';
import type { LabelledRule, Outcome } from './policy-rules.js';
import type { IndexPorts, PortIndex } from './port-index.js';
import type { RenderAt } from './port-map.js';
import { makeRule } from './rule-text.js';

export type LabelledRules = Readonly<Record<Direction, readonly LabelledRule[]>>;

/** What the lists look up; equal answers are the same objects while nothing has changed about them. */
export interface RuleSource {
  /** by direction; one that is not there denies (fail closed) */
  readonly policy: (id: PolicyId) => LabelledRules;
  readonly profile: (id: ProfileId) => LabelledRules;
  readonly portIndex: IndexPorts;
  /** the same decisions by fewer rules, if many differ but little */
  readonly merge: (rules: readonly LabelledRule[], place: MergePlace) => readonly LabelledRule[];
  /** what makes kernel rules where actions lead there */
  readonly renderer: (outcome: Outcome) => (rule: LabelledRule) => readonly Rule[];
}

/** Objects of the table that exist because of one list; equal ones of several lists are the same object. */
export interface CompiledList {
  readonly chains: readonly Chain[];
  readonly maps: readonly { readonly map: NftSet; readonly elements: Elements }[];
}

const end = makeRule([], dropFor('no-rule-matched'));

function indexed({ name, portMap }: Slot, index: PortIndex, render: RenderAt): CompiledList {
  const { chains, map, elements } = portMap.compile(name, index, render);
  const rules = [
    makeRule([], { kind: 'dispatch', key: 'protocol-and-port', map: map.name }),
    ...render(index.wild, 'other ports'),
    end,
  ];
  return { chains: [...chains, { name, rules }], maps: [{ map, elements }] };
}

/** Who asks for unions, so that it can be told when they are not asked for any more. */
export function policyOwner(id: PolicyId): string {
  return `policy ${id}`;
}

export function profileOwner(id: ProfileId): string {
  return `profile ${id}`;
}

export function listOwner({ name }: Slot): string {
  return `list ${name}`;
}

/** So many policies for one merged rule are worth a list of its own. */
const fewAmong = 4;
/** So many rules are written as quickly as they are shared. */
const fewRules = 32;

/** Chains of policies are shared by all lists: they are left out only where the rules of many became few. */
function areFew(rules: number, policies: number): boolean {
  return rules * fewAmong < policies || (rules < policies && rules <= fewRules);
}

function passes(rules: readonly ActiveRule[]): boolean {
  return rules.some(rule => rule.action === 'pass');
}

/**
 * A tier as a list of jumps to the policies' chains. Where `pass` leads elsewhere than to the profiles, the
 * shared chain of a policy would lead astray, so its rules stand in the list itself.
 */
function plain(request: TierRequest, source: RuleSource): CompiledList {
  const { direction, stage, policies, outcome, isLast, slot } = request;
  const { chains, rules } = slot.policyJumps.compile(policies, source.policy, (id, rulesOf) => {
    const name = policyChainName(direction, id, stage);
    const own = source.merge(rulesOf[direction], { owner: policyOwner(id), at: name });
    if (!isLast && passes(own)) return { chain: undefined, rules: own.flatMap(source.renderer(outcome)) };
    const chain = { name, rules: own.flatMap(source.renderer(lastTier(direction, stage))) };
    return { chain, rules: [makeRule([], { kind: 'jump', chain: name }, id)] };
  });
  return { chains: [...chains, { name: slot.name, rules: [...rules, end] }], maps: [] };
}

interface TierRequest extends Pick<TierKey, 'direction' | 'stage' | 'policies' | 'isLast'> {
  readonly slot: Slot;
  readonly outcome: Outcome;
}

/** A tier that ends with a verdict for every packet, but for what an earlier tier than the last passes. */
function decisiveTier(request: TierRequest, source: RuleSource): CompiledList {
  const { slot, direction, policies, outcome } = request;
  const owner = listOwner(slot);
  const rules = source.merge(
    policies.flatMap(id => source.policy(id)[direction]),
    { owner, at: 'all' },
  );
  const rendered = source.renderer(outcome);
  const render: RenderAt = (some, at) => source.merge(some, { owner, at }).flatMap(rendered);
  const index = source.portIndex(rules);
  const isPlain = index === undefined && !areFew(rules.length, policies.length);
  if (index === undefined) slot.portMap.forget();
  if (!isPlain) slot.policyJumps.forget();
  if (index !== undefined) return indexed(slot, index, render);
  return isPlain
    ? plain(request, source)
    : { chains: [{ name: slot.name, rules: [...rules.flatMap(rendered), end] }], maps: [] };
}

/** The chains for the policies of one tier; the one that the slot names is where it begins. */
export function compileTier(slot: Slot, key: TierKey, source: RuleSource): CompiledList {
  const { direction, stage, policies, isLast } = key;
  const outcome = isLast ? lastTier(direction, stage) : earlierTier(direction, stage);
  if (mustDecide(stage)) return decisiveTier({ ...key, slot, outcome }, source);
  // Returns without a verdict where no policy decides.
  const rules = source.merge(
    policies.flatMap(id => source.policy(id)[direction]),
    { owner: listOwner(slot), at: 'all' },
  );
  return { chains: [{ name: slot.name, rules: rules.flatMap(source.renderer(outcome)) }], maps: [] };
}

/**
 * Tiers that are jumped to one after the other, and what one passes comes back: so the depth is the same however
 * many there are. The kernel allows 15 chains, and all are needed on the longest way: from a workload to its host,
 * through list, tier, bucket and profiles of both directions.
 */
export function compileTiers(
  slot: Slot,
  tiers: readonly { readonly isLast: boolean; readonly name: string }[],
): CompiledList {
  const rules = tiers.map(({ isLast, name }) =>
    makeRule([], { kind: isLast ? 'goto' : 'jump', chain: name }),
  );
  return { chains: [{ name: slot.name, rules }], maps: [] };
}

/** The chains for an ordered list of profiles; the one that the slot names is where it begins. */
export function compileProfiles(
  slot: Slot,
  { direction, profiles }: ProfilesKey,
  source: RuleSource,
): CompiledList {
  const chains = profiles.map(id => {
    const name = profileChainName(direction, id);
    const rules = source.merge(source.profile(id)[direction], { owner: profileOwner(id), at: name });
    return { name, rules: rules.flatMap(source.renderer(inProfile(direction))) };
  });
  const jumps = chains.map(({ name }, index) => makeRule([], { kind: 'jump', chain: name }, profiles[index]));
  const last = makeRule([], dropFor('no-profile-matched'));
  return { chains: [...chains, { name: slot.name, rules: [...jumps, last] }], maps: [] };
}
