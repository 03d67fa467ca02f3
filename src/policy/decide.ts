import { matches } from '../selector/index.js';
import { effectiveLabels } from './effective-labels.js';
import { mismatches } from './match-rule.js';
import { decidesAt, orderedTiers } from './order.js';
import type { MatchContext } from './match-rule.js';
import type { Direction, Endpoint, PolicyId, Rules, Stage } from './model.js';
import type { Model } from './snapshot.js';
import type { Decision, RuleOwner, Step } from './verdict.js';

export interface Outcome {
  readonly allowed: boolean;
  readonly decision: Decision;
  readonly steps: readonly Step[];
}

export interface Question {
  readonly model: Model;
  readonly endpoint: Endpoint;
  readonly direction: Direction;
  readonly context: MatchContext;
}

type StagedQuestion = Question & { readonly stage: Stage };

/** What the policies and then the profiles of one endpoint say in one direction (policy-enforcement 3.3). */
export function decide(question: Question): Outcome {
  const steps: Step[] = [];
  const staged = { ...question, stage: 'normal' as const };
  return outcome(byTiers(staged, steps).decision ?? byProfiles(staged, steps), steps);
}

/**
 * What the policies of a host endpoint say at another stage than `normal`; undefined when none is for that
 * stage and direction. Profiles have no say there: what no policy decides goes on (policy-enforcement 4.2).
 */
export function decideAt(
  question: Question & { readonly stage: Exclude<Stage, 'normal'> },
): Outcome | undefined {
  const steps: Step[] = [];
  const { decision, policies } = byTiers(question, steps);
  if (policies.length === 0) return undefined;
  return outcome(decision ?? { kind: 'no-verdict', policies }, steps);
}

/** The decision of the first tier that takes one, and the policies that were asked. */
function byTiers(
  question: StagedQuestion,
  steps: Step[],
): { readonly decision?: Decision; readonly policies: readonly PolicyId[] } {
  const { model, direction, stage } = question;
  const asked: PolicyId[] = [];
  for (const tier of orderedTiers(policiesOf(question))) {
    const policies = tier[direction];
    if (policies.length === 0) continue;
    asked.push(...policies);
    const decision = inTier(policies, id => {
      const policy = model.policies.get(id);
      return policy && walkRules({ ...question, owner: { kind: 'policy', id }, rules: policy, steps });
    });
    if (decision === 'pass') continue;
    if (decision !== undefined) return { decision, policies: asked };
    const endsTier = stage === 'normal' || stage === 'forward';
    if (endsTier) return { decision: { kind: 'end-of-tier', tier: tier.name, policies }, policies: asked };
  }
  return { policies: asked };
}

function outcome(decision: Decision, steps: readonly Step[]): Outcome {
  const allowed = decision.kind === 'rule' ? decision.action === 'allow' : decision.kind === 'no-verdict';
  return { allowed, decision, steps };
}

function policiesOf({ model, endpoint, stage }: StagedQuestion) {
  const labels = effectiveLabels(endpoint, id => model.profiles.get(id));
  return [...model.policies.values()].filter(
    policy => decidesAt(policy, endpoint.kind, stage) && matches(policy.selector, labels),
  );
}

function inTier(
  policies: readonly PolicyId[],
  ask: (id: PolicyId) => Decision | 'pass' | undefined,
): Decision | 'pass' | undefined {
  for (const id of policies) {
    const answer = ask(id);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function byProfiles(question: StagedQuestion, steps: Step[]): Decision {
  const { model, endpoint } = question;
  for (const id of endpoint.profiles) {
    const profile = model.profiles.get(id);
    if (profile === undefined) return { kind: 'missing-profile', id };
    const answer = walkRules({ ...question, owner: { kind: 'profile', id }, rules: profile, steps });
    if (answer !== undefined && answer !== 'pass') return answer; // a pass ends just this profile
  }
  return { kind: 'end-of-profiles', profiles: endpoint.profiles };
}

function walkRules(
  walk: StagedQuestion & { readonly owner: RuleOwner; readonly rules: Rules; readonly steps: Step[] },
): Decision | 'pass' | undefined {
  const { owner, direction, stage, steps, context } = walk;
  const at = { endpoint: walk.endpoint.id, direction, stage, owner };
  for (const [index, { action, match }] of walk.rules[direction].entries()) {
    const failing = mismatches(match, context);
    steps.push({ ...at, kind: 'rule', index, action, mismatches: failing });
    if (failing.length > 0 || action === 'log') continue;
    return action === 'pass' ? 'pass' : { kind: 'rule', owner, index, action };
  }
  steps.push({ ...at, kind: 'undecided' });
  return undefined;
}
