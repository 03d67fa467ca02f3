import { shortName } from '../../base/index.js';
import type { IpVersion } from '../../net/index.js';
import type { Direction, PolicyId, ProfileId, SetId } from '../../policy/index.js';

/**
 * The one table that is ours, and the names in it. Kernel names are a readable prefix and a hash, never
 * the user's text, so that no name is too long, a keyword, or able to carry anything into the ruleset.
 * All are at most 31 characters: kernels before 4.14 take no more.
 */
export const tableName = 'calico';

export const baseNames = {
  rawPrerouting: 'raw-pre',
  forward: 'forward',
  input: 'input',
  output: 'output',
  natPostrouting: 'nat-post',
  antiSpoof: 'anti-spoof',
  invalidWorkload: 'invalid-wl',
  workloadToHost: 'wl-to-host',
  /** where an egress allow goes on: what the destination's side says */
  nextFrom: 'next-from',
  failsafeIn: 'failsafe-in',
  failsafeOut: 'failsafe-out',
  source4: 'wl-src4',
  source6: 'wl-src6',
  /** interfaces of workloads that are administratively down */
  down: 'wl-down',
  hostIn: 'hep-in',
  hostOut: 'hep-out',
} as const;

/** Side names: traffic from an endpoint is its egress, traffic to it its ingress. */
const side = { egress: 'from', ingress: 'to' } as const;

/** Map from interface to what decides first over a workload's traffic in that direction. */
export function workloadMap(direction: Direction): string {
  return `wl-${side[direction]}`;
}

/** Map from interface to a workload's profiles. */
export function workloadProfileMap(direction: Direction): string {
  return `wl-prof-${side[direction]}`;
}

/** Map from interface to a host endpoint's profiles. */
export function hostProfileMap(direction: Direction): string {
  return `hep-prof-${side[direction]}`;
}

/** Where `pass` in the last tier goes on: the endpoint's profiles. */
export function profilesChain(direction: Direction): string {
  return `prof-${side[direction]}`;
}

export function policyChainName(direction: Direction, id: PolicyId): string {
  return shortName(direction === 'ingress' ? 'pi-' : 'po-', id);
}

export function profileChainName(direction: Direction, id: ProfileId): string {
  return shortName(direction === 'ingress' ? 'ri-' : 'ro-', id);
}

/** `tiers` as JSON is unambiguous whatever the names hold. */
export function policyListName(direction: Direction, tiers: readonly (readonly PolicyId[])[]): string {
  return shortName(direction === 'ingress' ? 'lt-' : 'lf-', JSON.stringify(tiers));
}

export function profileListName(direction: Direction, profiles: readonly ProfileId[]): string {
  return shortName(direction === 'ingress' ? 'qt-' : 'qf-', JSON.stringify(profiles));
}

/** The entry of a host endpoint: failsafe ports first, then the list that it shares with others. */
export function hostListName(direction: Direction, list: string): string {
  return shortName(direction === 'ingress' ? 'hi-' : 'ho-', list);
}

/** A bucket or a port map is named by its content, so it never changes and is shared where it is equal. */
export function contentName(prefix: 'b-' | 'x-' | 'pool4-' | 'pool6-', content: string): string {
  return shortName(prefix, content);
}

/** The kernel set with the members of one prefix length; hosts have the full length. */
export function addressSetName(id: SetId, version: IpVersion, length: number): string {
  if (length === (version === 4 ? 32 : 128)) return shortName(`s${String(version)}-`, id);
  return `${shortName(`n${String(version)}-`, id)}-${String(length)}`;
}
