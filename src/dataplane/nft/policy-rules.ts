import type { ActiveMatch, ActiveRule, Direction } from '../../policy/index.js';
import { conditionsOf } from './match/renderers.js';
import type { Condition, MatchContext } from './match/condition.js';
import type { Rule, Statement, Test } from './model.js';
import { baseNames, profilesChain } from './names.js';
import { makeRule, testText } from './rule-text.js';

/** Prefix of the kernel's log line for the action `log`; what Calico's users search for. */
const logPrefix = 'calico-packet: ';

/** Where the actions of a rule lead: it depends on who holds the rule, and for whom. */
export interface Outcome {
  readonly direction: Direction;
  readonly pass: Statement;
}

/** Outcome of a policy in the last tier: what it passes, the endpoint's profiles decide. */
export function lastTier(direction: Direction): Outcome {
  return { direction, pass: { kind: 'goto', chain: profilesChain(direction) } };
}

/** Outcome of a profile: what it passes, the next profile decides. */
export function inProfile(direction: Direction): Outcome {
  return { direction, pass: { kind: 'return' } };
}

/** Outcome of a policy before the last tier: what it passes goes on at `chain`. */
export function beforeTier(direction: Direction, chain: string): Outcome {
  return { direction, pass: { kind: 'goto', chain } };
}

function statementOf(action: ActiveRule['action'], { direction, pass }: Outcome): Statement {
  const statements: Readonly<Record<ActiveRule['action'], Statement>> = {
    // Out of the source, the destination's side still has its say.
    allow: direction === 'ingress' ? { kind: 'accept' } : { kind: 'goto', chain: baseNames.nextFrom },
    deny: { kind: 'drop' },
    log: { kind: 'log', prefix: logPrefix },
    pass,
  };
  return statements[action];
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
  /** `policy#index`, for the comment */
  readonly label: string;
}

export function labelled(owner: string, rules: readonly ActiveRule[]): readonly LabelledRule[] {
  return rules.map((rule, index) => ({ ...rule, label: `${owner}#${String(index)}` }));
}

/** The kernel rules for one rule of a policy or profile: one for each way to match; none when it never can. */
export function kernelRules(
  rule: LabelledRule,
  outcome: Outcome,
  lengthsOf: MatchContext['lengthsOf'],
): readonly Rule[] {
  const statement = statementOf(rule.action, outcome);
  return alternativesOf(rule.match, lengthsOf).map(tests => makeRule(tests, statement, rule.label));
}
