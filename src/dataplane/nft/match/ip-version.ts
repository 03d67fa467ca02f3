import type { IpVersion } from '../../../net/index.js';
import { always, never } from './condition.js';
import type { Condition, MatchContext } from './condition.js';

/** A rule for one address family does not exist in the other. */
export function ipVersion(value: IpVersion, { version }: MatchContext): Condition {
  return value === version ? always : never;
}
