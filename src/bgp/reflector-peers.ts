import type { BgpNode, BgpPeer } from './config.js';
import { addressOf } from './config.js';
import type { Password } from './passwords.js';
import { formatIp, parseIp } from '../net/index.js';
import type { Ip } from '../net/index.js';

interface BgpPeerTarget {
  readonly scope: string;
  readonly node?: string | undefined;
  readonly peerIP: string;
}

/**
 * The other end of sessions that other nodes have to this one, a route reflector: whoever has it as a peer, for
 * all nodes or for itself, is its peer too. So one global peer is all that an operator writes for a reflector.
 */
export function peersAtReflector(
  node: BgpNode,
  others: readonly BgpNode[],
  cluster: {
    readonly peers: readonly { readonly metadata: BgpPeerTarget }[];
    /** of nodes that have none of their own */
    readonly asNumber: number;
    /** of the sessions that others have to an address of this node */
    readonly passwordOf: (own: Ip) => Password;
  },
): readonly BgpPeer[] {
  if (node.clusterId === undefined) return [];
  return ([4, 6] as const).flatMap(version => {
    const own = addressOf(node, version);
    if (own === undefined) return [];
    const mine = cluster.peers.filter(({ metadata }) => isSame(metadata.peerIP, own));
    if (mine.length === 0) return [];
    const password = cluster.passwordOf(own);
    if (!password.usable) return [];
    const signed = password.text === undefined ? {} : { password: password.text };
    const forAll = mine.some(({ metadata }) => metadata.scope === 'global');
    const byName = new Set(mine.map(({ metadata }) => metadata.node));
    return others.flatMap((other): readonly BgpPeer[] => {
      const address = addressOf(other, version);
      if (address === undefined || !(forAll || byName.has(other.name))) return [];
      return [{ scope: 'node', address, asNumber: other.asNumber ?? cluster.asNumber, ...signed }];
    });
  });
}

function isSame(text: string, ip: Ip): boolean {
  const other = parseIp(text);
  return other !== undefined && formatIp(other) === formatIp(ip);
}
