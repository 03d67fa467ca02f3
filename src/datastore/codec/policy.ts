import { parseObject, unlessEmpty } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { decodeRules, encodeRules } from './rule.js';

/** Policies of other tiers are tolerated in the store and not shown. */
const key = layout('/calico/v1/policy/tier/default/policy/:name');

export const policyCodec: KindCodec<'policy'> = {
  layouts: [key],
  metadata: ({ name = '' }) => ({ name }),
  keys: ({ name }) => [key.key({ name })],
  prefixes: ({ name = '' }) => [key.prefix({ name })],
  encode: ({ spec }) => [
    JSON.stringify({
      order: spec.order,
      inbound_rules: encodeRules(spec.ingress),
      outbound_rules: encodeRules(spec.egress),
      selector: spec.selector,
      types: unlessEmpty(spec.types),
      untracked: spec.doNotTrack,
      pre_dnat: spec.preDNAT,
      apply_on_forward: spec.applyOnForward,
    }),
  ],
  decode: (metadata, [text]) => {
    const { order, selector, ...stored } = parseObject(text);
    return {
      metadata,
      spec: {
        // "default" is how old versions wrote "no order".
        order: order === 'default' ? undefined : order,
        ingress: decodeRules(stored['inbound_rules'], 'inbound_rules'),
        egress: decodeRules(stored['outbound_rules'], 'outbound_rules'),
        selector,
        types: stored['types'],
        doNotTrack: stored['untracked'],
        preDNAT: stored['pre_dnat'],
        applyOnForward: stored['apply_on_forward'],
      },
    };
  },
};

/**
 * What would be stored for a policy that denies all of what the policy in `text` selects; undefined when not
 * even the text's selector can be found. Without a readable order it comes before all others: closed is safe.
 */
export function closedPolicy(text: string): string | undefined {
  try {
    const { order, selector, untracked, pre_dnat: preDnat } = parseObject(text);
    if (typeof selector !== 'string') return undefined;
    const known = typeof order === 'number' || order === undefined || order === null || order === 'default';
    const deny = [{ action: 'deny' }];
    return JSON.stringify({
      order: known ? order : -Number.MAX_VALUE,
      selector,
      inbound_rules: deny,
      outbound_rules: preDnat === true ? undefined : deny,
      // What is for host endpoints alone must not close the workloads that its selector matches.
      ...((untracked === true || preDnat === true) && {
        untracked,
        pre_dnat: preDnat,
        apply_on_forward: true,
      }),
    });
  } catch {
    return undefined;
  }
}
