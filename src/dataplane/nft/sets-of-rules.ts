import type { ActiveRules, SetId } from '../../policy/index.js';

/** All sets that the rules look up. */
export function setsOf(rules: ActiveRules | undefined): readonly SetId[] {
  return [...(rules?.ingress ?? []), ...(rules?.egress ?? [])].flatMap(({ match }) => [
    ...(match.sourceSets ?? []),
    ...(match.notSourceSets ?? []),
    ...(match.destinationSets ?? []),
    ...(match.notDestinationSets ?? []),
    ...(match.sourcePortSets ?? []),
    ...(match.notSourcePortSets ?? []),
    ...(match.destinationPortSets ?? []),
    ...(match.notDestinationPortSets ?? []),
  ]);
}
