import type { ActiveMatch, ActiveRule, Direction, Stage } from '../../policy/index.js';
import { conditionsOf } from './match/renderers.js';
import type { Condition, MatchContext } from './match/condition.js';
import { dropFor } from './drops.js';
import { logPrefix, logRule } from './log-rule.js';
import type { LogOwner, LogSettings } from './log-rule.js';
import type { Rule, Statement, Test } from './model.js';
import { baseNames, profilesChain } from './names.js';
import { makeRule, testText } from './rule-text.js';
import type { UnionRequest } from './union-sets.js';

/** Where the actions of a rule lead: it depends on who holds the rule, and for whom. */
export interface Outcome {
  readonly allow: Statement;
  readonly pass: Statement;
}

const accept: Statement = { kind: 'accept' };
const goOn: Statement = { kind: 'goto', chain: baseNames.nextFrom };

/** What `allow` means: out of the source, the destination's side still has its say. */
const allowOf: Readonly<Record<Stage, Readonly<Record<Direction, Statement>>>> = {
  normal: { ingress: accept, egress: goOn },
  forward: { ingress: goOn, egress: accept },
  untracked: {
    ingress: { kind: 'goto', chain: baseNames.untrack },
    egress: { kind: 'goto', chain: baseNames.untrack },
  },
  'pre-dnat': {
    ingress: { kind: 'goto', chain: baseNames.acceptBeforeNat },
    egress: { kind: 'goto', chain: baseNames.acceptBeforeNat },
  },
};

/**
 * Outcome of a policy in the last tier. What it passes, the endpoint's profiles decide; of forwarded traffic
 * they know nothing, so there it is left alone.
 */
export function lastTier(direction: Direction, stage: Stage): Outcome {
  const allow = allowOf[stage][direction];
  return {
    allow,
    pass: stage === 'normal' ? { kind: 'goto', chain: profilesChain(direction) } : allow,
  };
}

/** Outcome of a policy in a tier after which others come, or the end of a stage that need not decide. */
export function earlierTier(direction: Direction, stage: Stage): Outcome {
  return { allow: allowOf[stage][direction], pass: { kind: 'return' } };
}

/** Outcome of a profile: what it passes, the next profile decides. */
export function inProfile(direction: Direction): Outcome {
  return { allow: allowOf.normal[direction], pass: { kind: 'return' } };
}

/** What rules are made with, besides themselves. */
export interface RuleContext extends Pick<MatchContext, 'lengthsOf'> {
  readonly log: LogSettings;
}

function ruleOf(rule: LabelledRule, tests: readonly Test[], outcome: Outcome, { log }: RuleContext): Rule {
  const { action, label, owner } = rule;
  if (action === 'log') {
    return logRule(log, { prefix: logPrefix(log, owner), level: 'notice', tests, comment: label });
  }
  const statements = { allow: outcome.allow, deny: dropFor('denied-by-rule'), pass: outcome.pass };
  return makeRule(tests, statements[action], label);
}

function textOf(condition: Condition): string {
  return JSON.stringify(condition.map(tests => tests.map(testText)));
}

function ofFamily(version: 4 | 6, condition: Condition): readonly (readonly Test[])[] {
  return condition.map(tests => [{ kind: 'family', version }, ...tests]);
}

/** The ways to match, for both families: without a family test where the family makes no difference. */
function alternativesOf(match: ActiveMatch, lengthsOf: MatchContext['lengthsOf']): Condition {
  const v4 = conditionsOf({ version: 4, match, lengthsOf });
  const v6 = conditionsOf({ version: 6, match, lengthsOf });
  return textOf(v4) === textOf(v6) ? v4 : [...ofFamily(4, v4), ...ofFamily(6, v6)];
}

/** A rule on its way into a chain. */
export interface LabelledRule extends ActiveRule {
  readonly owner: LogOwner;
  /** `policy#index`, for the comment */
  readonly label: string;
  /** of a rule that stands for many: what its match needs, and those rules for where it cannot be had */
  readonly merged?: {
    readonly unions: readonly UnionRequest[];
    readonly rules: readonly LabelledRule[];
  };
}

export function labelled(
  kind: LogOwner['kind'],
  name: string,
  rules: readonly ActiveRule[],
): readonly LabelledRule[] {
  return rules.map((rule, index) => ({ ...rule, owner: { kind, name }, label: `${name}#${String(index)}` }));
}

/** The kernel rules for one rule of a policy or profile: one for each way to match; none when it never can. */
export function kernelRules(rule: LabelledRule, outcome: Outcome, context: RuleContext): readonly Rule[] {
  return alternativesOf(rule.match, context.lengthsOf).map(tests => ruleOf(rule, tests, outcome, context));
}
