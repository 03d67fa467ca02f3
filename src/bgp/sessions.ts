import { formatIp } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import { addressOf } from './config.js';
import type { BgpPeer, BgpState } from './config.js';

/** Where a session comes from; it begins the session's name, which is how `node status` tells them apart. */
export type SessionType = 'Mesh' | 'Global' | 'Node';

export interface Session {
  /** `Mesh_10_0_0_2`: letters, digits and `_` only */
  readonly name: string;
  readonly type: SessionType;
  readonly address: Ip;
  readonly asNumber: number;
  /** the other end is told what this node, a route reflector, hears from others (RFC 4456) */
  readonly client: boolean;
  readonly password: string | undefined;
}

/**
 * The sessions of the node over one IP version, sorted by address; none without an address of that version.
 * An address that several things ask for gets one session: the node's own peer before the global one before
 * the mesh. A peer that is the node itself is kept: it stays Idle, and `node status` shows that. Route reflectors
 * are no part of the mesh; one of them has every speaker of its own AS as client but those of its own cluster.
 */
export function sessionsOf(state: BgpState, version: IpVersion): readonly Session[] {
  const local = addressOf(state.node, version);
  if (local === undefined) return [];
  const byAddress = new Map<bigint, Session>();
  const add = (type: SessionType, to: Omit<BgpPeer, 'scope'>): void => {
    const { address, asNumber, password } = to;
    if (address.version !== version) return;
    const client = isClient(state, address, asNumber);
    byAddress.set(address.bits, {
      name: sessionName(type, address),
      type,
      address,
      asNumber,
      client,
      password,
    });
  };
  if (state.mesh) {
    const meshed = state.node.clusterId === undefined ? state.otherNodes : [];
    const password = state.meshPassword === undefined ? {} : { password: state.meshPassword };
    for (const node of meshed.filter(({ clusterId }) => clusterId === undefined)) {
      const address = addressOf(node, version);
      if (address !== undefined)
        add('Mesh', { address, asNumber: node.asNumber ?? state.asNumber, ...password });
    }
    byAddress.delete(local.bits);
  }
  for (const scope of ['global', 'node'] as const) {
    const peers = state.peers.filter(peer => peer.scope === scope).sort((a, b) => a.asNumber - b.asNumber);
    for (const peer of peers) add(scope === 'global' ? 'Global' : 'Node', peer);
  }
  return [...byAddress.values()].sort((a, b) => (a.address.bits < b.address.bits ? -1 : 1));
}

function isClient({ node, otherNodes, asNumber }: BgpState, address: Ip, remoteAs: number): boolean {
  if (node.clusterId === undefined || remoteAs !== (node.asNumber ?? asNumber)) return false;
  const other = otherNodes.find(each => addressOf(each, address.version)?.bits === address.bits);
  return other?.clusterId !== node.clusterId;
}

function sessionName(type: SessionType, address: Ip): string {
  return `${type}_${formatIp(address).replace(/[.:]/g, '_')}`;
}
