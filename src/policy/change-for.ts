import { endpointName, fieldsText, ownerText } from './explain-words.js';
import type { Crossing, RuleOwner, Step, Verdict } from './verdict.js';

type RuleStep = Extract<Step, { kind: 'rule' }>;

/** More than this many criteria that differ, and a rule was meant for something else. */
const NEAR = 2;

/** The allow rule that came nearest, the first of several, among those that were looked at where it was denied. */
function nearest({ steps }: Verdict, { endpoint, point, stage }: Crossing): RuleStep | undefined {
  let best: RuleStep | undefined;
  for (const step of steps) {
    if (step.kind !== 'rule' || step.action !== 'allow') continue;
    if (step.endpoint !== endpoint || step.direction !== point || step.stage !== (stage ?? 'normal'))
      continue;
    if (step.mismatches.length < (best?.mismatches.length ?? NEAR + 1)) best = step;
  }
  return best;
}

function ruleText(point: string, owner: RuleOwner, index: number): string {
  return `${point} rule ${String(index + 1)} of ${ownerText(owner)}`;
}

/** A rule that nearly matched, or else a new one for `last`. */
function byRule(verdict: Verdict, crossing: Crossing, last: RuleOwner): string {
  const near = nearest(verdict, crossing);
  return near === undefined
    ? `give ${ownerText(last)} an ${crossing.point} rule that allows it`
    : `change ${ruleText(crossing.point, near.owner, near.index)}, of which ${fieldsText(near.mismatches)}`;
}

/** What an operator would change for a packet that was denied to pass the point; undefined: nothing that is policy. */
export function changeFor(verdict: Verdict): string | undefined {
  const denied = verdict.path.at(-1);
  if (denied === undefined || denied.allowed) return undefined;
  const { decision, endpoint, point } = denied;
  const name = endpoint === undefined ? '' : endpointName(endpoint);
  switch (decision.kind) {
    case 'rule':
      return `change ${ruleText(point, decision.owner, decision.index)}, or allow it before`;
    case 'end-of-tier': {
      const last = decision.policies.at(-1);
      return last === undefined ? undefined : byRule(verdict, denied, { kind: 'policy', id: last });
    }
    case 'end-of-profiles': {
      const last = decision.profiles.at(-1);
      return last === undefined
        ? `give ${name} a profile, or write a policy that selects it`
        : byRule(verdict, denied, { kind: 'profile', id: last });
    }
    case 'missing-profile':
      return `create profile '${decision.id}', or take it from ${name}`;
    case 'endpoint-to-host':
      return 'set DefaultEndpointToHostAction to ACCEPT, or to RETURN where the host has a firewall';
    case 'no-verdict':
    case 'built-in-deny':
    case 'built-in-allow':
    case 'not-policed':
      break;
  }
  return undefined;
}
