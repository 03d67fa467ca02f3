import { formatIp } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import { addressOf } from './config.js';
import type { BgpState } from './config.js';

/** Where a session comes from; it begins the session's name, which is how `node status` tells them apart. */
export type SessionType = 'Mesh' | 'Global' | 'Node';

export interface Session {
  /** `Mesh_10_0_0_2`: letters, digits and `_` only */
  readonly name: string;
  readonly type: SessionType;
  readonly address: Ip;
  readonly asNumber: number;
}

/**
 * The sessions of the node over one IP version, sorted by address; none without an address of that version.
 * An address that several things ask for gets one session: the node's own peer before the global one before
 * the mesh. A peer that is the node itself is kept: it stays Idle, and `node status` shows that.
 */
export function sessionsOf(state: BgpState, version: IpVersion): readonly Session[] {
  const local = addressOf(state.node, version);
  if (local === undefined) return [];
  const byAddress = new Map<bigint, Session>();
  const add = (type: SessionType, address: Ip | undefined, asNumber: number): void => {
    if (address === undefined || address.version !== version) return;
    byAddress.set(address.bits, { name: sessionName(type, address), type, address, asNumber });
  };
  if (state.mesh) {
    for (const node of state.otherNodes)
      add('Mesh', addressOf(node, version), node.asNumber ?? state.asNumber);
    byAddress.delete(local.bits);
  }
  for (const scope of ['global', 'node'] as const) {
    const peers = state.peers.filter(peer => peer.scope === scope).sort((a, b) => a.asNumber - b.asNumber);
    for (const peer of peers) add(scope === 'global' ? 'Global' : 'Node', peer.address, peer.asNumber);
  }
  return [...byAddress.values()].sort((a, b) => (a.address.bits < b.address.bits ? -1 : 1));
}

function sessionName(type: SessionType, address: Ip): string {
  return `${type}_${formatIp(address).replace(/[.:]/g, '_')}`;
}
