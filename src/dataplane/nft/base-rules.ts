import type { Chain, ConntrackState, NftSet, Rule, Test, Verdict } from './model.js';
import { makeRule } from './rule-text.js';

/** Part of the table that depends on neither endpoints nor policies. */
export interface BaseObjects {
  readonly sets: readonly NftSet[];
  readonly chains: readonly Chain[];
}

export const accept: Verdict = { kind: 'accept' };

export const family = (version: 4 | 6): Test => ({ kind: 'family', version });
export const protocol = (number: number): Test => ({ kind: 'protocol', protocol: number, negated: false });
export const ports = (side: 'source' | 'destination', port: number): Test => ({
  kind: 'ports',
  side,
  ranges: [{ min: port, max: port }],
  negated: false,
});

export const inState = (...states: readonly ConntrackState[]): Test => ({
  kind: 'conntrack',
  states,
  negated: false,
});

export const verdictMap = (name: string): NftSet => ({ name, key: ['ifname'], verdicts: true });

/** What belongs to a known connection is let go by one comparison: a lookup costs twice as much. */
export const acceptKnown = makeRule([inState('established', 'related')], accept);

export const dispatch = (key: 'in-interface' | 'out-interface', map: string): Rule =>
  makeRule([], { kind: 'dispatch', key, map });
