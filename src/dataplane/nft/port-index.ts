import type { ActiveMatch } from '../../policy/index.js';
import type { LabelledRule } from './policy-rules.js';
import { hasPorts } from './match/ports.js';

/**
 * The indexed form of a policy list: instead of trying every rule, a packet's protocol and destination port
 * select a bucket that has only the rules that can match it. Cost does not grow with the number of policies.
 */
export interface PortIndex {
  /** by `protocol . port`: the rules that can match such a packet, without the tests which that decides */
  readonly buckets: ReadonlyMap<string, readonly LabelledRule[]>;
  /** for every other packet: the rules that are bound to no port */
  readonly wild: readonly LabelledRule[];
}

/** A range with more ports is cheaper tested than spelled out. */
const maxPortsOfRule = 64;
/** Below this many port-bound rules, trying them one by one is as fast (spec 2, "indexed form" 6). */
const minBoundRules = 3;
/** An index that multiplies the rules beyond this is not worth its memory. */
const maxGrowth = 16;

interface PortKey {
  readonly protocol: number;
  readonly port: number;
}

function keysOf({ match }: LabelledRule): readonly PortKey[] | undefined {
  const { protocol, destinationPorts, destinationPortSets } = match;
  // What has a name may have any number.
  if (destinationPortSets !== undefined) return undefined;
  if (destinationPorts === undefined || !hasPorts(protocol)) return undefined;
  const count = destinationPorts.reduce((sum, range) => sum + range.max - range.min + 1, 0);
  if (count > maxPortsOfRule) return undefined;
  return destinationPorts.flatMap(({ min, max }) =>
    Array.from({ length: max - min + 1 }, (_, offset) => ({ protocol, port: min + offset })),
  );
}

function holdsPort(ranges: ActiveMatch['destinationPorts'], port: number): boolean {
  return ranges?.some(({ min, max }) => min <= port && port <= max) === true;
}

/** False when no packet with that protocol and destination port can satisfy the match. */
function canMatch(match: ActiveMatch, { protocol, port }: PortKey): boolean {
  if (match.protocol !== undefined && match.protocol !== protocol) return false;
  if (match.notProtocol === protocol) return false;
  if (match.icmp !== undefined || match.notIcmp !== undefined) return false;
  const givesPorts = match.destinationPorts !== undefined || match.notDestinationPorts !== undefined;
  if (givesPorts && match.protocol === undefined) return false;
  const isByNumber = match.destinationPorts !== undefined && match.destinationPortSets === undefined;
  if (isByNumber && !holdsPort(match.destinationPorts, port)) return false;
  return !holdsPort(match.notDestinationPorts, port);
}

/** Fields that are tested only beside a protocol that has ports. */
const portFields = [
  'sourcePorts',
  'notSourcePorts',
  'sourcePortSets',
  'notSourcePortSets',
  'destinationPortSets',
  'notDestinationPortSets',
] as const satisfies readonly (keyof ActiveMatch)[];

/** What is left to test once protocol and destination port are known to fit. */
function residue(match: ActiveMatch): ActiveMatch {
  const { protocol, notProtocol: _, destinationPorts, notDestinationPorts: __, ...rest } = match;
  const needsProtocol = portFields.some(field => rest[field] !== undefined);
  return {
    ...rest,
    ...(needsProtocol && protocol !== undefined && { protocol }),
    // By number or by name: the name is still to be looked up.
    ...(rest.destinationPortSets !== undefined && destinationPorts !== undefined && { destinationPorts }),
  };
}

/** The rule for packets whose protocol and destination port are known to fit. */
export function withoutPort(rule: LabelledRule): LabelledRule {
  return { ...rule, match: residue(rule.match) };
}

/** True when nothing behind the rule is ever reached. */
function endsAll(rule: LabelledRule): boolean {
  return rule.action !== 'log' && Object.keys(rule.match).length === 0;
}

/** A rule that is left to try, with its place in the list. */
interface PlacedRule {
  readonly rule: LabelledRule;
  readonly place: number;
}

/** `bound` and `wild` are in order of their places. */
function bucketFor(
  key: PortKey,
  { bound, wild }: { readonly bound: readonly PlacedRule[]; readonly wild: readonly PlacedRule[] },
  leftOf: typeof withoutPort,
): readonly LabelledRule[] {
  const bucket: LabelledRule[] = [];
  const rules = [...bound, ...wild].sort((a, b) => a.place - b.place);
  for (const { rule } of rules) {
    if (!canMatch(rule.match, key)) continue;
    const left = leftOf(rule);
    bucket.push(left);
    if (endsAll(left)) break;
  }
  return bucket;
}

interface BoundRules {
  readonly key: PortKey;
  readonly rules: PlacedRule[];
}

/** By `protocol . port`: the rules that name it. */
function byPort(
  rules: readonly (PlacedRule & { readonly keys: readonly PortKey[] })[],
): ReadonlyMap<string, BoundRules> {
  const ports = new Map<string, BoundRules>();
  for (const { rule, place, keys } of rules) {
    for (const key of keys) {
      const text = `${String(key.protocol)} . ${String(key.port)}`;
      const there = ports.get(text) ?? { key, rules: [] };
      there.rules.push({ rule, place });
      ports.set(text, there);
    }
  }
  return ports;
}

/**
 * The index over a list's rules in order, or undefined when the plain list serves as well. `leftOf` is withoutPort,
 * by itself or with a memory.
 */
export function portIndex(
  rules: readonly LabelledRule[],
  leftOf: typeof withoutPort = withoutPort,
): PortIndex | undefined {
  const placed = rules.map((rule, place) => ({ rule, place, keys: keysOf(rule) }));
  const bound = placed.flatMap(({ keys, ...rest }) => (keys === undefined ? [] : [{ ...rest, keys }]));
  if (bound.length < minBoundRules) return undefined;
  const wild = placed.filter(({ keys }) => keys === undefined);
  const ports = byPort(bound);
  if (ports.size * (wild.length + 1) > maxGrowth * (rules.length + 64)) return undefined;
  const buckets = new Map(
    [...ports].map(
      ([text, port]) => [text, bucketFor(port.key, { bound: port.rules, wild }, leftOf)] as const,
    ),
  );
  return { buckets, wild: wild.map(({ rule }) => rule) };
}
