import { listOf, parseObject } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { decodeRules, encodeRules } from './rule.js';

const tags = layout('/calico/v1/policy/profile/:name/tags');
const labels = layout('/calico/v1/policy/profile/:name/labels');
const rules = layout('/calico/v1/policy/profile/:name/rules');

/** A profile has three keys; the tags decide whether it exists. */
export const profileCodec: KindCodec<'profile'> = {
  layouts: [tags, labels, rules],
  metadata: ({ name = '' }) => ({ name }),
  keys: ({ name }) => [tags.key({ name }), labels.key({ name }), rules.key({ name })],
  prefixes: ({ name = '' }) => [name === '' ? tags.prefix({}) : tags.key({ name }).slice(0, -'tags'.length)],
  encode: ({ metadata, spec }) => [
    JSON.stringify(metadata.tags ?? []),
    JSON.stringify(metadata.labels ?? {}),
    JSON.stringify({ inbound_rules: encodeRules(spec.ingress), outbound_rules: encodeRules(spec.egress) }),
  ],
  decode: (metadata, [tagsText, labelsText, rulesText]) => {
    const stored = parseObject(rulesText);
    const storedTags: unknown = tagsText === undefined ? [] : JSON.parse(tagsText);
    return {
      metadata: { ...metadata, tags: listOf(storedTags, 'tags'), labels: parseObject(labelsText) },
      spec: {
        ingress: decodeRules(stored['inbound_rules'], 'inbound_rules'),
        egress: decodeRules(stored['outbound_rules'], 'outbound_rules'),
      },
    };
  },
};
