import { protocolNumbers } from '../../../net/index.js';
import type { PortRange } from '../../../net/index.js';
import type { SetId } from '../../../policy/index.js';
import type { Side, Test } from '../model.js';
import { portSetName } from '../names.js';
import { allOf, always, never } from './condition.js';
import type { Condition, MatchContext } from './condition.js';

const portBearing: ReadonlySet<number> = new Set([
  protocolNumbers.tcp,
  protocolNumbers.udp,
  protocolNumbers.sctp,
  protocolNumbers.udplite,
]);

/** True when packets of that protocol begin with source and destination port. */
export function hasPorts(protocol: number | undefined): protocol is number {
  return protocol !== undefined && portBearing.has(protocol);
}

/** Sorted, with ranges that overlap or touch joined: what an interval set takes. */
export function joinedRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const joined: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.min - b.min)) {
    const last = joined.at(-1);
    if (last !== undefined && range.min <= last.max + 1) {
      joined[joined.length - 1] = { min: last.min, max: Math.max(last.max, range.max) };
    } else {
      joined.push(range);
    }
  }
  return joined;
}

type PortSets = 'sourcePortSets' | 'destinationPortSets';

function lookups(
  side: Side,
  sets: readonly SetId[],
  { version }: MatchContext,
  negated: boolean,
): readonly Test[] {
  return sets.map(id => ({ kind: 'port-in-set', side, version, set: portSetName(id, version), negated }));
}

/** By number or by name: one way to match each. Ports exist only together with a protocol that has them. */
function eitherOn(side: Side, field: PortSets) {
  return (ranges: readonly PortRange[] | undefined, context: MatchContext): Condition => {
    if (!hasPorts(context.match.protocol)) return never;
    const byName = lookups(side, context.match[field] ?? [], context, false).map(test => [test]);
    if (ranges === undefined) return byName;
    return [[{ kind: 'ports', side, ranges: joinedRanges(ranges), negated: false }], ...byName];
  };
}

function notPortsOn(side: Side) {
  return (value: readonly PortRange[], { match }: MatchContext): Condition =>
    hasPorts(match.protocol)
      ? allOf({ kind: 'ports', side, ranges: joinedRanges(value), negated: true })
      : never;
}

function notNamedOn(side: Side) {
  return (sets: readonly SetId[], context: MatchContext): Condition =>
    hasPorts(context.match.protocol) ? [lookups(side, sets, context, true)] : never;
}

const eitherSource = eitherOn('source', 'sourcePortSets');
const eitherDestination = eitherOn('destination', 'destinationPortSets');

export const sourcePorts = eitherSource;
export const destinationPorts = eitherDestination;

/** Beside numbers it is they that look the names up too. */
export function sourcePortSets(_: readonly SetId[], context: MatchContext): Condition {
  return context.match.sourcePorts === undefined ? eitherSource(undefined, context) : always;
}

/** As of the source. */
export function destinationPortSets(_: readonly SetId[], context: MatchContext): Condition {
  return context.match.destinationPorts === undefined ? eitherDestination(undefined, context) : always;
}

export const notSourcePorts = notPortsOn('source');
export const notDestinationPorts = notPortsOn('destination');
export const notSourcePortSets = notNamedOn('source');
export const notDestinationPortSets = notNamedOn('destination');
