import { ip } from './address-fields.js';
import { defineResource } from './definition.js';
import { identifier, optional, withDefault } from './field.js';
import { asNumber } from './number-fields.js';
import { choice, name } from './text-fields.js';

/** A router outside that exchanges routes with every node, or with one. */
export const bgpPeer = defineResource({
  kind: 'bgpPeer',
  goName: 'BGPPeer',
  description: 'a router that exchanges routes with every node (scope global) or with one (scope node)',
  words: ['bgppeer', 'bgppeers', 'bgpp', 'bgpps', 'bp', 'bps'],
  metadata: {
    // Shown even when it is empty, as the original does.
    scope: identifier(choice(['global', 'node']), { showEmpty: true }),
    node: optional(name()),
    peerIP: identifier(ip()),
  },
  spec: { asNumber: withDefault(asNumber(), 0) },
  identity: ({ scope, node, peerIP }) =>
    scope === 'global' ? `BGPPeer(global, ip=${peerIP})` : `BGPPeer(node=${node ?? ''}, ip=${peerIP})`,
  identifiers: ({ scope }) => (scope === 'node' ? ['peerIP', 'scope', 'node'] : ['peerIP', 'scope']),
  columns: {
    SCOPE: { cell: peer => peer.metadata.scope },
    PEERIP: { cell: peer => peer.metadata.peerIP },
    NODE: { cell: peer => peer.metadata.node ?? '' },
    ASN: { cell: peer => String(peer.spec.asNumber) },
  },
});
