import { contains } from '../../../net/index.js';
import type { Cidr } from '../../../net/index.js';
import type { Side } from '../model.js';
import { allOf, always, never } from './condition.js';
import type { Condition, MatchContext } from './condition.js';

/** Sorted, and without those that lie in another: what an interval set takes. */
export function withoutOverlap(nets: readonly Cidr[]): readonly Cidr[] {
  const sorted = [...nets].sort((a, b) => (a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : a.length - b.length));
  const kept: Cidr[] = [];
  for (const net of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !contains(last, net)) kept.push(net);
  }
  return kept;
}

/** Only the networks of the packet's family count: with none of them the rule is not for that family. */
function netsOn(side: Side, negated: boolean) {
  return (value: readonly Cidr[], { version }: MatchContext): Condition => {
    const nets = withoutOverlap(value.filter(net => net.version === version));
    if (nets.length === 0) return never;
    // A network of length 0 is the whole family.
    if (nets[0]?.length === 0) return negated ? never : always;
    return allOf({ kind: 'nets', side, version, nets, negated });
  };
}

export const sourceNets = netsOn('source', false);
export const notSourceNets = netsOn('source', true);
export const destinationNets = netsOn('destination', false);
export const notDestinationNets = netsOn('destination', true);
