import type { IcmpMatch } from '../../../policy/index.js';
import { allOf, never } from './condition.js';
import type { Condition, MatchContext } from './condition.js';
import { icmpOf } from './protocol.js';

function icmpTest(negated: boolean, { type, code }: IcmpMatch, context: MatchContext): Condition {
  const protocol = icmpOf(context.version);
  const test = { kind: 'icmp', type, ...(code === undefined ? {} : { code }), negated } as const;
  if (context.match.protocol === protocol) return allOf(test);
  // Another protocol has no ICMP type, so such a rule matches nothing, negated or not.
  if (context.match.protocol !== undefined) return never;
  return allOf({ kind: 'protocol', protocol, negated: false }, test);
}

/** Type, and code where given; without a protocol it means the family's own ICMP. */
export function icmp(value: IcmpMatch, context: MatchContext): Condition {
  return icmpTest(false, value, context);
}

/** Not that type with that code: the type with another code does match. */
export function notIcmp(value: IcmpMatch, context: MatchContext): Condition {
  return icmpTest(true, value, context);
}
