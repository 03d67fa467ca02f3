import { listOf, parseObject, unlessEmpty } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { ofVersion } from './version.js';

const key = layout('/calico/v1/host/:node/endpoint/:name');

export const hostEndpointCodec: KindCodec<'hostEndpoint'> = {
  layouts: [key],
  metadata: ({ node = '', name = '' }) => ({ name, node }),
  keys: ({ node, name }) => [key.key({ node, name })],
  prefixes: ({ node = '', name = '' }) => [key.prefix({ node, name })],
  encode: ({ metadata, spec }) => [
    JSON.stringify({
      name: spec.interfaceName,
      expected_ipv4_addrs: unlessEmpty(ofVersion(4, spec.expectedIPs)),
      expected_ipv6_addrs: unlessEmpty(ofVersion(6, spec.expectedIPs)),
      labels: unlessEmpty(metadata.labels),
      profile_ids: unlessEmpty(spec.profiles),
      ports: unlessEmpty(spec.ports),
    }),
  ],
  decode: (metadata, [text]) => {
    const stored = parseObject(text);
    return {
      metadata: { ...metadata, labels: stored['labels'] },
      spec: {
        interfaceName: stored['name'],
        expectedIPs: [
          ...listOf(stored['expected_ipv4_addrs'], 'expected_ipv4_addrs'),
          ...listOf(stored['expected_ipv6_addrs'], 'expected_ipv6_addrs'),
        ],
        profiles: stored['profile_ids'],
        ports: stored['ports'] ?? undefined,
      },
    };
  },
};
