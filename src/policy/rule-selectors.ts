import { digest, MultiMap } from '../base/index.js';
import { selectorId } from '../selector/index.js';
import type { ActiveMatch, ActiveRule, ActiveRules } from './desired.js';
import type { Changes } from './effective-labels.js';
import type { Policy, PolicyId, Profile, ProfileId, Rule, RuleMatch, Rules, SetId } from './model.js';
import type { Selector } from '../selector/index.js';

/** What a set holds: addresses of all endpoints that match, or have a profile with the tag; ports so called. */
export type SetSource =
  | { readonly kind: 'selector'; readonly selector: Selector }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'port'; readonly name: string };

/** The set's name, from its content: equal sources share a set. Same form as in Calico's own data. */
export function setIdOf(source: SetSource): SetId {
  const text =
    source.kind === 'selector'
      ? selectorId(source.selector)
      : source.kind === 'tag'
        ? `t:${digest('sha224', `t:${source.tag}`)}`
        : `n:${digest('sha224', `n:${source.name}`)}`;
  return text as SetId; // the one place where set ids are made
}

type SetField = `${string}${'Selector' | 'Tag' | 'PortNames'}` & keyof RuleMatch;
type SetListField = `${string}Sets` & keyof ActiveMatch;

const ofSelector = (selector: Selector): readonly SetSource[] => [{ kind: 'selector', selector }];
const ofTag = (tag: string): readonly SetSource[] => [{ kind: 'tag', tag }];
const ofPorts = (names: readonly string[]): readonly SetSource[] =>
  names.map(name => ({ kind: 'port', name }));

/** For each field that names endpoints or ports: the list that its sets go into. */
const setFields: {
  readonly [Field in SetField]: {
    readonly list: SetListField;
    readonly sources: (value: NonNullable<RuleMatch[Field]>) => readonly SetSource[];
  };
} = {
  sourceSelector: { list: 'sourceSets', sources: ofSelector },
  notSourceSelector: { list: 'notSourceSets', sources: ofSelector },
  sourceTag: { list: 'sourceSets', sources: ofTag },
  notSourceTag: { list: 'notSourceSets', sources: ofTag },
  destinationSelector: { list: 'destinationSets', sources: ofSelector },
  notDestinationSelector: { list: 'notDestinationSets', sources: ofSelector },
  destinationTag: { list: 'destinationSets', sources: ofTag },
  notDestinationTag: { list: 'notDestinationSets', sources: ofTag },
  sourcePortNames: { list: 'sourcePortSets', sources: ofPorts },
  notSourcePortNames: { list: 'notSourcePortSets', sources: ofPorts },
  destinationPortNames: { list: 'destinationPortSets', sources: ofPorts },
  notDestinationPortNames: { list: 'notDestinationPortSets', sources: ofPorts },
};

function isSetField(field: string): field is SetField {
  return Object.hasOwn(setFields, field);
}

function sourcesOfField<Field extends SetField>(
  field: Field,
  value: RuleMatch[Field] | undefined,
): readonly SetSource[] {
  return value === undefined || value === null ? [] : setFields[field].sources(value);
}

type Sources = Map<SetId, SetSource>;

function activeRule(rule: Rule, sources: Sources): ActiveRule {
  const plain = Object.entries(rule.match).filter(([field]) => !isSetField(field));
  const lists = new MultiMap<SetListField, SetId>();
  for (const field of Object.keys(rule.match).filter(isSetField)) {
    for (const source of sourcesOfField(field, rule.match[field])) {
      const id = setIdOf(source);
      sources.set(id, source);
      lists.add(setFields[field].list, id);
    }
  }
  const sets = [...lists.keys()].map(list => [list, [...lists.get(list)].sort()]);
  // The table above covers every field that is taken out, so what is left is an ActiveMatch.
  return { action: rule.action, match: Object.fromEntries([...plain, ...sets]) as ActiveMatch };
}

/** Rules with sets in place of selectors and tags, and what those sets hold. */
export function activeRules(rules: Rules): {
  readonly rules: ActiveRules;
  readonly sources: ReadonlyMap<SetId, SetSource>;
} {
  const sources: Sources = new Map();
  return {
    rules: {
      ingress: rules.ingress.map(rule => activeRule(rule, sources)),
      egress: rules.egress.map(rule => activeRule(rule, sources)),
    },
    sources,
  };
}

export interface RuleSelectorChanges {
  readonly policies: Changes<PolicyId, ActiveRules>;
  readonly profiles: Changes<ProfileId, ActiveRules>;
  /** sets that rules now use; undefined: no rule uses it any more */
  readonly sets: Changes<SetId, SetSource>;
}

export interface RuleSelectors {
  update(changes: {
    readonly policies: Changes<PolicyId, Policy>;
    readonly profiles: Changes<ProfileId, Profile>;
  }): RuleSelectorChanges;
}

/** Rules in a direction that the policy does not decide are never read: they need no sets. */
function rulesInForce(policy: Policy): Rules {
  return {
    ingress: policy.types.includes('ingress') ? policy.ingress : [],
    egress: policy.types.includes('egress') ? policy.egress : [],
  };
}

/** Which sets of addresses the active rules need. A set lives as long as one rule uses it. */
export function createRuleSelectors(): RuleSelectors {
  const sourcesOf = new Map<string, ReadonlyMap<SetId, SetSource>>();
  const users = new MultiMap<SetId, string>();

  return {
    update({ policies, profiles }) {
      const touched = new Map<SetId, { readonly source: SetSource; readonly before: boolean }>();
      const touch = (sources: ReadonlyMap<SetId, SetSource>): void => {
        for (const [id, source] of sources) {
          if (!touched.has(id)) touched.set(id, { source, before: users.has(id) });
        }
      };
      const take = (user: string, rules: Rules | undefined): ActiveRules | undefined => {
        const before = sourcesOf.get(user) ?? new Map<SetId, SetSource>();
        const after = rules === undefined ? undefined : activeRules(rules);
        touch(before);
        touch(after?.sources ?? new Map<SetId, SetSource>());
        for (const id of before.keys()) users.delete(id, user);
        for (const id of after?.sources.keys() ?? []) users.add(id, user);
        if (after === undefined) sourcesOf.delete(user);
        else sourcesOf.set(user, after.sources);
        return after?.rules;
      };

      const activeById = new Map(
        [...policies].map(([id, policy]) => [id, take(`policy ${id}`, policy && rulesInForce(policy))]),
      );
      const profileRules = new Map(
        [...profiles].map(([id, profile]) => [id, take(`profile ${id}`, profile)]),
      );
      const sets = new Map<SetId, SetSource | undefined>();
      for (const [id, { source, before }] of touched) {
        if (users.has(id) !== before) sets.set(id, before ? undefined : source);
      }
      return { policies: activeById, profiles: profileRules, sets };
    },
  };
}
