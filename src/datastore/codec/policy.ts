import { parseObject } from './json.js';
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
      },
    };
  },
};
