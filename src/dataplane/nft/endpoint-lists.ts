import type { Direction, LocalEndpoint, Stage } from '../../policy/index.js';
import { dropFor } from './drops.js';
import type { ListKey } from './lists.js';
import type { ElementValue, Verdict } from './model.js';
import { policyListName, profileListName } from './names.js';

/** The policies that decide over the endpoint at that stage; undefined when none does. */
export function policyList(local: LocalEndpoint, direction: Direction, stage: Stage): ListKey | undefined {
  const tiers = (stage === 'normal' ? local.tiers : (local.stages?.[stage] ?? []))
    .map(tier => tier[direction])
    .filter(policies => policies.length > 0);
  if (tiers.length === 0) return undefined;
  return { kind: 'policies', direction, stage, tiers, name: policyListName(direction, tiers, stage) };
}

/** The endpoint's profiles; undefined when it has none. */
export function profileList(
  { endpoint: { profiles } }: LocalEndpoint,
  direction: Direction,
): ListKey | undefined {
  if (profiles.length === 0) return undefined;
  return { kind: 'profiles', direction, profiles, name: profileListName(direction, profiles) };
}

export type ElementsByMap = Map<string, Map<string, ElementValue>>;

export function setElement(elements: ElementsByMap, map: string, key: string, value: ElementValue): void {
  elements.set(map, (elements.get(map) ?? new Map<string, ElementValue>()).set(key, value));
}

/** On to that chain; where there is none, nothing allows the packet. */
export function goTo(chain: string | undefined): Verdict {
  return chain === undefined ? dropFor('no-profile') : { kind: 'goto', chain };
}
