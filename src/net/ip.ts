import { isIP } from 'node:net';

export type IpVersion = 4 | 6;

/** An address as a number: 32 bits for version 4, 128 for version 6. IPv4 in IPv6 form is version 4. */
export interface Ip {
  readonly version: IpVersion;
  readonly bits: bigint;
}

const MAPPED_PREFIX = 0xffffn << 32n;

/** Bits in an address of that version. */
export function widthOf(version: IpVersion): number {
  return version === 4 ? 32 : 128;
}

function parseIpv4(text: string): bigint {
  return BigInt(text.split('.').reduce((bits, part) => bits * 256 + Number(part), 0));
}

function parseIpv6(text: string): bigint {
  // The last 32 bits may be written as a dotted quad (RFC 4291 2.2).
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  let groups = text;
  if (tail.includes('.')) {
    const quad = parseIpv4(tail);
    groups = `${text.slice(0, lastColon + 1)}${(quad >> 16n).toString(16)}:${(quad & 0xffffn).toString(16)}`;
  }
  const [head = '', rest] = groups.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = '0000'.repeat(8 - left.length - right.length);
  return BigInt(`0x${padded(left)}${zeros}${padded(right)}`);
}

function padded(groups: readonly string[]): string {
  return groups.map(group => group.padStart(4, '0')).join('');
}

/**
 * Reads an address strictly: no leading zeros, zone or length. `::ffff:1.2.3.4` is read as 1.2.3.4.
 * Undefined when it is not an address.
 */
export function parseIp(text: string): Ip | undefined {
  if (text.includes('%')) return undefined;
  switch (isIP(text)) {
    case 4:
      return { version: 4, bits: parseIpv4(text) };
    case 6: {
      const bits = parseIpv6(text);
      return bits >> 32n === MAPPED_PREFIX >> 32n
        ? { version: 4, bits: bits & 0xffff_ffffn }
        : { version: 6, bits };
    }
    default:
      return undefined;
  }
}

function formatIpv6(bits: bigint): string {
  const digits = bits.toString(16).padStart(32, '0');
  const groups = Array.from({ length: 8 }, (_, i) => Number.parseInt(digits.slice(4 * i, 4 * i + 4), 16));
  // RFC 5952 4.2: compress the first longest run of at least two zero groups.
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    if (length > 0) i += length - 1;
  }
  const hex = groups.map(group => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatIp(ip: Ip): string {
  if (ip.version === 6) return formatIpv6(ip.bits);
  const bits = Number(ip.bits);
  return `${String(bits >>> 24)}.${String((bits >>> 16) & 255)}.${String((bits >>> 8) & 255)}.${String(bits & 255)}`;
}

/** The canonical text of an address in any accepted form; undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip);
}
