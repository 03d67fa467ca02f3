import type { Direction, LocalEndpoint, PolicyId, ProfileId, Stage } from '../../policy/index.js';
import { contentName, policyListName, profileListName } from './names.js';

interface AnyListKey {
  /** stands for what the list is: equal lists have the same. The list's chain is called so where that is free */
  readonly content: string;
  readonly direction: Direction;
}

/** The policies of one tier, in order. */
export interface TierKey extends AnyListKey {
  readonly kind: 'tier';
  readonly stage: Stage;
  readonly policies: readonly PolicyId[];
  /** no other tier comes behind it, and its end is a verdict */
  readonly isLast: boolean;
}

/** Tiers, one after the other; each is a list of its own, which others may share. */
export interface TiersKey extends AnyListKey {
  readonly kind: 'tiers';
  readonly stage: Stage;
  /** by place */
  readonly tiers: ReadonlyMap<string, TierKey>;
}

/** Profiles, in order. */
export interface ProfilesKey extends AnyListKey {
  readonly kind: 'profiles';
  readonly profiles: readonly ProfileId[];
}

export type ListKey = TierKey | TiersKey | ProfilesKey;

/** The lists that somebody uses, by what for: a list may follow another only in the same place. */
export type HeldLists = ReadonlyMap<string, ListKey>;

export const noLists: HeldLists = new Map();

/** Where every packet must have a verdict at the end of the list. */
export function mustDecide(stage: Stage): boolean {
  return stage === 'normal' || stage === 'forward';
}

function tierKey(key: Pick<TierKey, 'direction' | 'stage' | 'policies' | 'isLast'>): TierKey {
  const { direction, stage, policies, isLast } = key;
  const content = isLast
    ? policyListName(direction, [policies], stage)
    : contentName('t-', JSON.stringify([direction, stage, policies]));
  return { ...key, kind: 'tier', content };
}

/** The policies that decide over the endpoint at that stage; undefined when none does. */
export function policyList(local: LocalEndpoint, direction: Direction, stage: Stage): ListKey | undefined {
  const tiers = (stage === 'normal' ? local.tiers : (local.stages?.[stage] ?? []))
    .map(tier => tier[direction])
    .filter(policies => policies.length > 0);
  if (tiers.length === 0) return undefined;
  const decides = mustDecide(stage);
  const keys = tiers.map((policies, index) =>
    tierKey({ direction, stage, policies, isLast: decides && index === tiers.length - 1 }),
  );
  const [only] = keys;
  if (decides && only?.isLast === true) return only;
  return {
    kind: 'tiers',
    direction,
    stage,
    tiers: new Map(keys.map((key, index) => [key.isLast ? 'last' : String(index), key])),
    content: policyListName(direction, tiers, stage),
  };
}

/** The endpoint's profiles; undefined when it has none. */
export function profileList(
  { endpoint: { profiles } }: LocalEndpoint,
  direction: Direction,
): ListKey | undefined {
  if (profiles.length === 0) return undefined;
  return { kind: 'profiles', direction, profiles, content: profileListName(direction, profiles) };
}
