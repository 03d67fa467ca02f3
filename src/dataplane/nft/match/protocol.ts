import { protocolNumbers } from '../../../net/index.js';
import type { IpVersion } from '../../../net/index.js';
import { allOf, never } from './condition.js';
import type { Condition, MatchContext } from './condition.js';

/** ICMP of that address family. */
export function icmpOf(version: IpVersion): number {
  return version === 4 ? protocolNumbers.icmp : protocolNumbers.icmpv6;
}

/** The other family's ICMP never matches, even when a packet claims that number. */
export function protocol(value: number, { version }: MatchContext): Condition {
  if (value === icmpOf(version === 4 ? 6 : 4)) return never;
  return allOf({ kind: 'protocol', protocol: value, negated: false });
}

export function notProtocol(value: number): Condition {
  return allOf({ kind: 'protocol', protocol: value, negated: true });
}
