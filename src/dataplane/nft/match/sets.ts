import type { SetId } from '../../../policy/index.js';
import type { Side, Test } from '../model.js';
import { addressSetName } from '../names.js';
import { always, both } from './condition.js';
import type { Condition, MatchContext } from './condition.js';

function lookups(side: Side, negated: boolean, set: SetId, context: MatchContext): readonly Test[] {
  const { version, lengthsOf } = context;
  return lengthsOf(set, version).map(length => ({
    kind: 'in-set',
    side,
    version,
    set: addressSetName(set, version, length),
    length,
    negated,
  }));
}

/** In every one of the sets; in one means in the kernel set of any prefix length. */
function inSets(side: Side) {
  return (value: readonly SetId[], context: MatchContext): Condition =>
    value
      .map((set): Condition => lookups(side, false, set, context).map(test => [test]))
      .reduce(both, always);
}

/** In none of the sets, so in no kernel set of any prefix length. */
function notInSets(side: Side) {
  return (value: readonly SetId[], context: MatchContext): Condition => [
    value.flatMap(set => lookups(side, true, set, context)),
  ];
}

export const sourceSets = inSets('source');
export const notSourceSets = notInSets('source');
export const destinationSets = inSets('destination');
export const notDestinationSets = notInSets('destination');
