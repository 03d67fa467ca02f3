import { hexDigest } from '../base/index.js';
import { formatIp } from '../net/index.js';
import type { BgpNode } from './config.js';

/**
 * The 32-bit identifier by which BGP speakers know each other, as a dotted quad: the IPv4 address, or bits
 * derived from the node's name where there is none. It depends on nothing else, so it never changes.
 */
export function routerId(node: BgpNode): string {
  if (node.ipv4 !== undefined) return formatIp(node.ipv4);
  const bits = BigInt(`0x${hexDigest('sha256', node.name).slice(0, 8)}`);
  // Zero is no valid identifier (RFC 6286).
  return formatIp({ version: 4, bits: bits === 0n ? 1n : bits });
}
