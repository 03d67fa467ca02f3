import { createSocket } from 'node:dgram';
import { CalicoError, messageOf } from '../base/index.js';
import { formatIp, parseIp } from '../net/index.js';
import type { IpVersion } from '../net/index.js';

/** Any port does: no packet is sent. */
const DISCARD_PORT = 9;

/**
 * The local address that the kernel uses towards an address or a host name. Fails with `unavailable` when there
 * is no route, or no such name in that IP version.
 */
export async function sourceAddressTowards(target: string, version: IpVersion): Promise<string> {
  const socket = createSocket(version === 4 ? 'udp4' : 'udp6');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', resolve);
      socket.connect(DISCARD_PORT, target);
    });
    const ip = parseIp(socket.address().address);
    if (ip === undefined) throw new Error(`the kernel named ${socket.address().address}`);
    return formatIp(ip);
  } catch (error) {
    throw new CalicoError(
      'unavailable',
      `no way to ${target} over IPv${String(version)}: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    socket.close();
  }
}
