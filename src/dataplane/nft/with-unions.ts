import type { ActiveMatch, SetId } from '../../policy/index.js';
import type { LabelledRule } from './policy-rules.js';
import type { UnionNames } from './union-sets.js';

function renamed(match: ActiveMatch, names: ReadonlyMap<SetId, SetId>): ActiveMatch {
  const { sourceSets, destinationSets, ...rest } = match;
  const there = (sets: readonly SetId[]): readonly SetId[] => sets.map(set => names.get(set) ?? set);
  return {
    ...rest,
    ...(sourceSets && { sourceSets: there(sourceSets) }),
    ...(destinationSets && { destinationSets: there(destinationSets) }),
  };
}

/** The rule with the unions that there are for it; the rules that it stands for, where there is none. */
export function withUnions(rule: LabelledRule, unions: UnionNames): readonly LabelledRule[] {
  if (rule.merged === undefined || rule.merged.unions.length === 0) return [rule];
  const names = new Map<SetId, SetId>();
  for (const request of rule.merged.unions) {
    const name = unions.of(request);
    if (name === undefined) return rule.merged.rules;
    names.set(request.content, name);
  }
  return [{ ...rule, match: renamed(rule.match, names) }];
}
