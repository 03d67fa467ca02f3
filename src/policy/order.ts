import type { EndpointTier } from './desired.js';
import type { Direction, Endpoint, Policy, Stage } from './model.js';

/** Order of evaluation inside a tier: by `order`, absent last, ties by id in byte order. */
export function comparePolicies(a: Policy, b: Policy): number {
  const [left, right] = [a.order ?? Infinity, b.order ?? Infinity];
  if (left !== right) return left < right ? -1 : 1;
  return compareText(a.id, b.id);
}

/** Byte order for the characters that names may hold. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether the policy, when its selector matches, decides over an endpoint of that kind at that stage. */
export function decidesAt(
  { stages = ['normal'], types }: Policy,
  kind: Endpoint['kind'],
  stage: Stage,
): boolean {
  return types.length > 0 && stages.includes(stage) && (kind === 'host' || stage === 'normal');
}

/** In which order the policies that match an endpoint decide over it; a policy counts only in its `types`. */
export function orderedTiers(policies: Iterable<Policy>): readonly EndpointTier[] {
  const sorted = [...policies].filter(policy => policy.types.length > 0).sort(comparePolicies);
  const names = [...new Set(sorted.map(policy => policy.tier))].sort(compareText);
  return names.map(name => {
    const inTier = sorted.filter(policy => policy.tier === name);
    const towards = (direction: Direction) =>
      inTier.filter(policy => policy.types.includes(direction)).map(policy => policy.id);
    return { name, ingress: towards('ingress'), egress: towards('egress') };
  });
}

/** The tiers that decide over an endpoint of that kind at that stage, of the policies that match it. */
export function tiersAt(
  stage: Stage,
  kind: Endpoint['kind'],
  policies: readonly Policy[],
): readonly EndpointTier[] {
  return orderedTiers(policies.filter(policy => decidesAt(policy, kind, stage)));
}
