import { matches } from '../selector/index.js';
import { effectiveLabels } from './effective-labels.js';
import { firstMismatch } from './match-rule.js';
import { orderedTiers } from './order.js';
import type { MatchContext } from './match-rule.js';
import type { Direction, Endpoint, PolicyId, Rules } from './model.js';
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

/** What the policies and then the profiles of one endpoint say in one direction (policy-enforcement 3.3). */
export function decide(question: Question): Outcome {
  const { model, endpoint, direction } = question;
  const steps: Step[] = [];
  const ruled = (owner: RuleOwner, rules: Rules): Decision | 'pass' | undefined =>
    walkRules({ ...question, owner, rules, steps });

  for (const tier of orderedTiers(policiesOf(model, endpoint))) {
    const policies = tier[direction];
    if (policies.length === 0) continue;
    const decision = inTier(policies, id => {
      const policy = model.policies.get(id);
      return policy && ruled({ kind: 'policy', id }, policy);
    });
    if (decision === 'pass') continue;
    return outcome(decision ?? { kind: 'end-of-tier', tier: tier.name, policies }, steps);
  }
  return outcome(byProfiles(question, ruled), steps);
}

function outcome(decision: Decision, steps: readonly Step[]): Outcome {
  return { allowed: decision.kind === 'rule' && decision.action === 'allow', decision, steps };
}

function policiesOf(model: Model, endpoint: Endpoint) {
  const labels = effectiveLabels(endpoint, id => model.profiles.get(id));
  return [...model.policies.values()].filter(policy => matches(policy.selector, labels));
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

function byProfiles(
  { model, endpoint }: Question,
  ruled: (owner: RuleOwner, rules: Rules) => Decision | 'pass' | undefined,
): Decision {
  for (const id of endpoint.profiles) {
    const profile = model.profiles.get(id);
    if (profile === undefined) return { kind: 'missing-profile', id };
    const answer = ruled({ kind: 'profile', id }, profile);
    if (answer !== undefined && answer !== 'pass') return answer; // a pass ends just this profile
  }
  return { kind: 'end-of-profiles', profiles: endpoint.profiles };
}

function walkRules(
  walk: Question & { readonly owner: RuleOwner; readonly rules: Rules; readonly steps: Step[] },
): Decision | 'pass' | undefined {
  const { owner, direction, steps, context } = walk;
  const at = { endpoint: walk.endpoint.id, direction, owner };
  for (const [index, { action, match }] of walk.rules[direction].entries()) {
    const mismatch = firstMismatch(match, context);
    steps.push({ ...at, kind: 'rule', index, action, ...(mismatch !== undefined && { mismatch }) });
    if (mismatch !== undefined || action === 'log') continue;
    return action === 'pass' ? 'pass' : { kind: 'rule', owner, index, action };
  }
  steps.push({ ...at, kind: 'undecided' });
  return undefined;
}
