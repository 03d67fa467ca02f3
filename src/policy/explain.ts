import { protocolText } from '../net/index.js';
import { endpointName, fieldsText, ownerText } from './explain-words.js';
import { changeFor } from './change-for.js';
import type { Located, Packet } from './packet.js';
import type { Crossing, Decision, Step, Verdict } from './verdict.js';

function placeName(located: Located, address: string): string {
  switch (located.kind) {
    case 'workload':
      return `${endpointName(located.endpoint.id)} (${address})`;
    case 'unknown':
      return `the unknown endpoint ${endpointName(located.id)} (${address})`;
    case 'host':
      return `host ${located.node} (${address})`;
    case 'outside':
      break;
  }
  return `${address}, outside`;
}

function packetText({ packet, source, destination }: Verdict): string {
  return `${protocolText(packet.protocol)} from ${placeName(source, packet.source)} to ${placeName(destination, packet.destination)}${detail(packet)}`;
}

function detail({ destinationPort, icmpType, icmpCode }: Packet): string {
  if (destinationPort !== undefined) return ` port ${String(destinationPort)}`;
  if (icmpType === undefined) return '';
  return `, type ${String(icmpType)}${icmpCode === undefined ? '' : ` code ${String(icmpCode)}`}`;
}

const builtInDenyWords: Record<Extract<Decision, { kind: 'built-in-deny' }>['reason'], string> = {
  'unknown-endpoint': 'no endpoint is known for the interface',
  'endpoint-down': 'the endpoint is switched off',
  'spoofed-source': 'the source address is not one of the endpoint’s own',
  'router-message': 'a workload may not act as a router',
  'tunnel-packet': 'a workload may not send packets for the tunnels between hosts',
  'ipv6-off': 'Ipv6Support is false on its host',
};

const builtInAllowWords: Record<Extract<Decision, { kind: 'built-in-allow' }>['reason'], string> = {
  'neighbour-discovery': 'neighbour discovery always reaches the host',
  dhcp: 'DHCP always reaches the host',
  dns: 'DNS over UDP always reaches the host',
  failsafe: 'it is a failsafe port',
};

const hostActionWords: Record<Extract<Decision, { kind: 'endpoint-to-host' }>['action'], string> = {
  drop: 'DefaultEndpointToHostAction is DROP',
  return: 'DefaultEndpointToHostAction is RETURN: the host’s own firewall decides',
  accept: 'DefaultEndpointToHostAction is ACCEPT',
};

const notPolicedWords: Record<Extract<Decision, { kind: 'not-policed' }>['reason'], string> = {
  'from-own-host': 'a host always reaches its own workloads',
  'same-endpoint': 'it never leaves the workload',
  'host-traffic': 'no host endpoint polices it',
  'no-endpoint': 'neither end is an endpoint',
  'foreign-prefix': 'its interface has no InterfacePrefix, so that its traffic to its host is not policed',
  'drops-accepted': 'DropActionOverride accepts what should be dropped: no policy is enforced',
};

function quotedList(names: readonly string[]): string {
  return names.map(name => `'${name}'`).join(', ');
}

function endOfTierText(names: readonly string[], point: string): string {
  return `by ${names.length === 1 ? 'policy' : 'policies'} ${quotedList(names)} (${point}, no rule matched: end of policies)`;
}

function endOfProfilesText(names: readonly string[], point: string): string {
  return names.length === 0
    ? `by default (${point}: no policy applies and there is no profile)`
    : `by default (${point}: no policy decided, and no rule of profile ${quotedList(names)} matched)`;
}

function decisionText({ point, decision }: Crossing): string {
  switch (decision.kind) {
    case 'rule':
      return `by ${ownerText(decision.owner)} (${point}, rule ${String(decision.index + 1)})`;
    case 'end-of-tier':
      return endOfTierText(decision.policies, point);
    case 'end-of-profiles':
      return endOfProfilesText(decision.profiles, point);
    case 'no-verdict':
      return `because no rule of ${quotedList(decision.policies)} decides (${point})`;
    case 'missing-profile':
      return `by default (${point}: profile '${decision.id}' does not exist)`;
    case 'built-in-deny':
      return `because ${builtInDenyWords[decision.reason]}`;
    case 'built-in-allow':
      return `because ${builtInAllowWords[decision.reason]}`;
    case 'endpoint-to-host':
      return `because ${hostActionWords[decision.action]}`;
    case 'not-policed':
      break;
  }
  return `because ${notPolicedWords[decision.reason]}`;
}

const stageWords: Readonly<Record<NonNullable<Crossing['stage']>, string>> = {
  untracked: ', before connection tracking',
  'pre-dnat': ', before destination NAT',
  forward: ', forwarded,',
};

function pointText({ point, endpoint, stage }: Crossing): string {
  const name = endpoint === undefined ? '' : endpointName(endpoint);
  const when = stage === undefined ? '' : stageWords[stage];
  switch (point) {
    case 'egress':
      return ` on the way out of ${name}${when}`;
    case 'ingress':
      return ` on the way into ${name}${when}`;
    case 'to-host':
      return ` from ${name} to its own host`;
    case 'unpoliced':
      break;
  }
  return '';
}

function crossingText(crossing: Crossing): string {
  return `${crossing.allowed ? 'allowed' : 'denied'}${pointText(crossing)} ${decisionText(crossing)}`;
}

function stepText(step: Step): string {
  if (step.kind === 'undecided') return `${ownerText(step.owner)}: no rule decides`;
  const rule = `${ownerText(step.owner)} rule ${String(step.index + 1)} (${step.action})`;
  return step.mismatches.length === 0 ? `${rule}: matches` : `${rule}: ${fieldsText(step.mismatches)}`;
}

/** One line: what happened to the packet, where and why. */
export function explainBriefly(verdict: Verdict): string {
  const decisive = verdict.path.at(-1);
  return decisive === undefined ? 'allowed' : crossingText(decisive);
}

/**
 * Plain words, a line each: the packet and its fate; then each point on its way with the reason, followed by
 * what was looked at there, indented; last, what to change for a packet that is denied.
 */
export function explain(verdict: Verdict): readonly string[] {
  const change = changeFor(verdict);
  const stepsAt = ({ point, endpoint, stage }: Crossing): readonly string[] =>
    verdict.steps
      .filter(
        step => step.direction === point && step.endpoint === endpoint && step.stage === (stage ?? 'normal'),
      )
      .map(step => `    ${stepText(step)}`);
  return [
    `${packetText(verdict)}: ${verdict.allowed ? 'allowed' : 'denied'}`,
    ...verdict.path.flatMap(crossing => [`  ${crossingText(crossing)}`, ...stepsAt(crossing)]),
    ...(change === undefined ? [] : [`  to allow it: ${change}`]),
  ];
}
