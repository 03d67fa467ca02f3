import { contains } from '../net/index.js';
import { addressesOf } from './locate.js';
import type { FailsafePort, FailsafePorts } from './failsafe-ports.js';
import type { Packet } from './packet.js';

interface FailsafeQuestion {
  readonly packet: Packet;
  /** which end is not the host */
  readonly remote: 'source' | 'destination';
  readonly port: number | undefined;
}

function isIn(list: readonly FailsafePort[], { packet, remote, port }: FailsafeQuestion): boolean {
  const address = addressesOf(packet)[remote];
  return list.some(
    entry =>
      entry.protocol === packet.protocol &&
      entry.port === port &&
      (entry.net === undefined || contains(entry.net, address)),
  );
}

/** True for a packet that comes in, or goes out, over a failsafe port. */
export function isFailsafe(ports: FailsafePorts, packet: Packet, way: 'in' | 'out'): boolean {
  return way === 'in'
    ? isIn(ports.inbound, { packet, remote: 'source', port: packet.destinationPort })
    : isIn(ports.outbound, { packet, remote: 'destination', port: packet.destinationPort });
}

/**
 * True for a failsafe packet and for the answer to one: before connection tracking both must be seen, or half
 * of a failsafe connection would go untracked.
 */
export function isFailsafeOrReply(ports: FailsafePorts, packet: Packet, way: 'in' | 'out'): boolean {
  const reply =
    way === 'in'
      ? isIn(ports.outbound, { packet, remote: 'source', port: packet.sourcePort })
      : isIn(ports.inbound, { packet, remote: 'destination', port: packet.sourcePort });
  return reply || isFailsafe(ports, packet, way);
}
