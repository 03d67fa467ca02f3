import type { ActiveMatch } from '../../policy/index.js';
import type { LabelledRule } from './policy-rules.js';
import { hasPorts } from './match/ports.js';
import { remembering } from './remembering.js';

/**
 * The indexed form of a policy list: instead of trying every rule, a packet's protocol and destination port
 * select a bucket that has only the rules that can match it. Cost does not grow with the number of policies.
 */
export interface PortIndex {
  /** by `protocol . port`, each of which some rule names: those rules and all that are bound to no port, in order */
  readonly candidates: ReadonlyMap<string, readonly LabelledRule[]>;
  /** Of a key's candidates those that can match such a packet, without the tests which that decides. */
  readonly bucketOf: (key: string) => readonly LabelledRule[];
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
  /** `protocol . port` */
  readonly text: string;
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
    Array.from({ length: max - min + 1 }, (_, offset) => {
      const port = min + offset;
      return { text: `${String(protocol)} . ${String(port)}`, protocol, port };
    }),
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
function withoutPort(rule: LabelledRule): LabelledRule {
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

/** Both are in order of their places. */
function interleaved(bound: readonly PlacedRule[], wild: readonly PlacedRule[]): readonly LabelledRule[] {
  const all = wild.length === 0 ? bound : [...bound, ...wild].sort((a, b) => a.place - b.place);
  return all.map(({ rule }) => rule);
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
  for (const { keys, ...placed } of rules) {
    for (const key of keys) {
      const there = ports.get(key.text);
      if (there === undefined) ports.set(key.text, { key, rules: [placed] });
      else there.rules.push(placed);
    }
  }
  return ports;
}

/** The index over a list's rules in order, or undefined when the plain list serves as well. */
export type IndexPorts = (rules: readonly LabelledRule[]) => PortIndex | undefined;

/** What makes indexes; it remembers what it found out about a rule as long as that is there. */
export function createPortIndexer(): IndexPorts {
  const [knownKeys, knownRests] = [remembering(keysOf), remembering(withoutPort)];

  const bucketOf = (key: PortKey, candidates: readonly LabelledRule[]): readonly LabelledRule[] => {
    const fitting = candidates.filter(rule => canMatch(rule.match, key)).map(knownRests);
    const last = fitting.findIndex(endsAll);
    return last < 0 ? fitting : fitting.slice(0, last + 1);
  };

  return rules => {
    const bound: (PlacedRule & { readonly keys: readonly PortKey[] })[] = [];
    const wild: PlacedRule[] = [];
    for (const [place, rule] of rules.entries()) {
      const keys = knownKeys(rule);
      if (keys === undefined) wild.push({ rule, place });
      else bound.push({ rule, place, keys });
    }
    if (bound.length < minBoundRules) return undefined;
    const ports = byPort(bound);
    if (ports.size * (wild.length + 1) > maxGrowth * (rules.length + 64)) return undefined;
    const candidates = new Map<string, readonly LabelledRule[]>();
    for (const [text, port] of ports) candidates.set(text, interleaved(port.rules, wild));
    return {
      candidates,
      bucketOf: text => {
        const key = ports.get(text)?.key;
        return key === undefined ? [] : bucketOf(key, candidates.get(text) ?? []);
      },
      wild: wild.map(({ rule }) => rule),
    };
  };
}
