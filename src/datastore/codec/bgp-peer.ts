import type { Metadata } from '../../resources/index.js';
import { parseObject } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { versionOf } from './version.js';

const global = layout('/calico/bgp/v1/global/:family/:peerIP');
const ofNode = layout('/calico/bgp/v1/host/:node/:family/:peerIP');

/** `global` and `host` share their level with settings: only these two names hold peers. */
const families: ReadonlySet<string> = new Set(['peer_v4', 'peer_v6']);

export const bgpPeerCodec: KindCodec<'bgpPeer'> = {
  layouts: [global, ofNode],
  metadata: ({ family = '', node, peerIP = '' }) => {
    if (!families.has(family)) return undefined;
    return node === undefined ? { scope: 'global', peerIP } : { scope: 'node', node, peerIP };
  },
  keys: metadata => [keyOf(metadata)],
  prefixes: ({ scope, node = '', peerIP = '' }) => {
    const parts = peerIP === '' ? { node } : { node, peerIP, family: familyOf(peerIP) };
    const globals = node === '' && scope !== 'node' ? [global.prefix(parts)] : [];
    return scope === 'global' ? globals : [...globals, ofNode.prefix(parts)];
  },
  encode: ({ metadata, spec }) => [
    // The number is a text in this JSON.
    JSON.stringify({ ip: metadata.peerIP, as_num: String(spec.asNumber) }),
  ],
  decode: (metadata, [text]) => ({
    metadata,
    spec: { asNumber: parseObject(text)['as_num'] ?? undefined },
  }),
};

function keyOf({ scope, node = '', peerIP }: Metadata<'bgpPeer'>): string {
  const family = familyOf(peerIP);
  return scope === 'node' ? ofNode.key({ node, family, peerIP }) : global.key({ family, peerIP });
}

function familyOf(peerIP: string): string {
  return `peer_v${String(versionOf(peerIP))}`;
}
