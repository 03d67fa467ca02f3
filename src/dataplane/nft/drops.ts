import type { NftConfig } from './config.js';
import type { Chain, Rule, Verdict } from './model.js';
import { logRule } from './log-rule.js';
import { makeRule } from './rule-text.js';

/** Why a packet is dropped, each with a chain and a counter of its own; in words for people. */
export const dropReasons = {
  'unknown-endpoint': 'no endpoint is known at the interface of a workload',
  'spoofed-source': 'the source is not an address of an endpoint at that interface',
  'endpoint-down': 'the endpoint is administratively down',
  'tunnel-packet': 'no workload may send packets of the tunnels between hosts',
  'ipv6-off': 'Ipv6Support is false: workloads have no IPv6',
  'loopback-destination': 'no workload may send to the addresses 127.0.0.0/8 of the host itself',
  'foreign-tunnel': 'a packet of the tunnels between hosts comes from no host of the cluster',
  'router-message': 'no workload may act as a router',
  'invalid-state': 'connection tracking calls the packet invalid',
  'denied-by-rule': 'a rule of a policy or profile denies it',
  'no-rule-matched': 'policies apply and none of their rules matched',
  'no-profile-matched': 'no rule of the profiles matched',
  'no-profile': 'the endpoint has no policy and no profile that could allow it',
  'workload-to-host': 'DefaultEndpointToHostAction is DROP',
} as const;

export type DropReason = keyof typeof dropReasons;

// The keys of the table, which the type of a record does not tell.
const all = Object.keys(dropReasons) as readonly DropReason[];

function nameOf(reason: DropReason): string {
  return `drop-${reason}`;
}

/** Ends the packet for that reason. */
export function dropFor(reason: DropReason): Verdict {
  return { kind: 'goto', chain: nameOf(reason) };
}

/** Names of the counters, one for each reason. */
export const dropCounters: ReadonlyMap<string, DropReason> = new Map(
  all.map(reason => [nameOf(reason), reason]),
);

function lastRule({ dropActionOverride }: NftConfig): Rule {
  return dropActionOverride.endsWith('accept')
    ? makeRule([], { kind: 'accept' }, '!SECURITY DISABLED! DROP overridden to ACCEPT')
    : makeRule([], { kind: 'drop' });
}

/** Where all drops end: what DropActionOverride changes, it changes here and for all of them. */
export function dropChains(config: NftConfig): readonly Chain[] {
  const isLogged = config.dropActionOverride.startsWith('log');
  return all.map(reason => ({
    name: nameOf(reason),
    rules: [
      makeRule([], { kind: 'count', counter: nameOf(reason) }, dropReasons[reason]),
      ...(isLogged ? [logRule(config, { prefix: 'calico-drop: ', level: 'warn' })] : []),
      lastRule(config),
    ],
  }));
}
