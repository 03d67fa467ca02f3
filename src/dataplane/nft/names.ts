import { digest, shortName } from '../../base/index.js';
import type { IpVersion } from '../../net/index.js';
import type { Direction, PolicyId, ProfileId, SetId, Stage } from '../../policy/index.js';

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
  natPrerouting: 'nat-pre',
  floatingPrerouting: 'float-pre',
  floatingOutput: 'float-out',
  floatingPostrouting: 'float-post',
  rawOutput: 'raw-out',
  manglePrerouting: 'mangle-pre',
  antiSpoof: 'anti-spoof',
  invalidWorkload: 'invalid-wl',
  workloadToHost: 'wl-to-host',
  /** where an egress allow goes on: what the destination's side says */
  nextFrom: 'next-from',
  failsafeIn: 'failsafe-in',
  failsafeOut: 'failsafe-out',
  failsafeRawIn: 'failsafe-raw-in',
  failsafeRawOut: 'failsafe-raw-out',
  /** where an untracked policy's allow goes */
  untrack: 'untrack',
  /** where a pre-DNAT policy's allow goes */
  acceptBeforeNat: 'accept-pre-dnat',
  source4: 'wl-src4',
  source6: 'wl-src6',
  /** interfaces of workloads that are administratively down */
  down: 'wl-down',
} as const;

const hostMaps: Readonly<Record<Stage, Readonly<Record<Direction, string>>>> = {
  normal: { ingress: 'hep-in', egress: 'hep-out' },
  forward: { ingress: 'hep-fwd-in', egress: 'hep-fwd-out' },
  untracked: { ingress: 'hep-raw-in', egress: 'hep-raw-out' },
  'pre-dnat': { ingress: 'hep-dnat-in', egress: 'hep-dnat-out' },
};

/** Map from interface to what decides over a host endpoint's traffic at that stage. */
export function hostMap(direction: Direction, stage: Stage): string {
  return hostMaps[stage][direction];
}

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

/** A policy's rules say the same at each stage, but lead elsewhere. */
export function policyChainName(direction: Direction, id: PolicyId, stage: Stage): string {
  const letters = stage === 'forward' ? { ingress: 'fi-', egress: 'fo-' } : { ingress: 'pi-', egress: 'po-' };
  return shortName(letters[direction], id);
}

export function profileChainName(direction: Direction, id: ProfileId): string {
  return shortName(direction === 'ingress' ? 'ri-' : 'ro-', id);
}

const listPrefixes: Readonly<Record<Stage, Readonly<Record<Direction, string>>>> = {
  normal: { ingress: 'lt-', egress: 'lf-' },
  forward: { ingress: 'wt-', egress: 'wf-' },
  untracked: { ingress: 'ut-', egress: 'uf-' },
  'pre-dnat': { ingress: 'dt-', egress: 'df-' },
};

/** `tiers` as JSON is unambiguous whatever the names hold. */
export function policyListName(
  direction: Direction,
  tiers: readonly (readonly PolicyId[])[],
  stage: Stage,
): string {
  return shortName(listPrefixes[stage][direction], JSON.stringify(tiers));
}

export function profileListName(direction: Direction, profiles: readonly ProfileId[]): string {
  return shortName(direction === 'ingress' ? 'qt-' : 'qf-', JSON.stringify(profiles));
}

/** The entry of a host endpoint: failsafe ports first, then the list that it shares with others. */
export function hostListName(direction: Direction, list: string): string {
  return shortName(direction === 'ingress' ? 'hi-' : 'ho-', list);
}

/** What is named by its content is shared where that is equal. */
export function contentName(prefix: 'b-' | 't-' | 'pool4-' | 'pool6-', content: string): string {
  return shortName(prefix, content);
}

/** Another name for a list of that name, which is taken: a readable prefix, as with all. */
export function slotName(list: string, again: number): string {
  const prefix = list.slice(0, list.indexOf('-') + 1);
  return shortName(prefix, `${list} ${String(again)}`);
}

/** The port map of the list with that name; a map of another size is another object to the kernel. */
export function portMapName(list: string, size: number): string {
  return shortName('x-', `${list} ${String(size)}`);
}

/** The kernel set with addresses, each with a protocol and port, of one family. */
export function portSetName(id: SetId, version: IpVersion): string {
  return shortName(`p${String(version)}-`, id);
}

/** A union of sets is looked up like a set: by its name the kernel set is told from that of a single one. */
export function unionId(parts: readonly SetId[]): SetId {
  return `u:${digest('sha224', parts.join('\n'))}` as SetId; // beside those of single sets, which begin otherwise
}

/** Where that name is taken. */
export function nextUnionId(id: SetId): SetId {
  return `${id}+` as SetId;
}

export function isUnion(id: SetId): boolean {
  return id.startsWith('u:');
}

/** The kernel set with the members of one prefix length; hosts have the full length. */
export function addressSetName(id: SetId, version: IpVersion, length: number): string {
  if (isUnion(id)) {
    const name = shortName(`u${String(version)}-`, id);
    return length === (version === 4 ? 32 : 128) ? name : `${name}-${String(length)}`;
  }
  if (length === (version === 4 ? 32 : 128)) return shortName(`s${String(version)}-`, id);
  return `${shortName(`n${String(version)}-`, id)}-${String(length)}`;
}
