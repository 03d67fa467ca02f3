import { protocolNumbers } from '../../../net/index.js';
import type { PortRange } from '../../../net/index.js';
import type { Side } from '../model.js';
import { allOf, never } from './condition.js';
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

/** Ports exist only together with a protocol that has them; otherwise the rule matches nothing. */
function portsOn(side: Side, negated: boolean) {
  return (value: readonly PortRange[], { match }: MatchContext): Condition =>
    hasPorts(match.protocol) ? allOf({ kind: 'ports', side, ranges: joinedRanges(value), negated }) : never;
}

export const sourcePorts = portsOn('source', false);
export const notSourcePorts = portsOn('source', true);
export const destinationPorts = portsOn('destination', false);
export const notDestinationPorts = portsOn('destination', true);
