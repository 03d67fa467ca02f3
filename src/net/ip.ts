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
  if (IPV4.test(text)) return { version: 4, bits: parseIpv4(text) };
  if (!isIpv6(text)) return undefined;
  const bits = parseIpv6(text);
  return bits >> 32n === MAPPED_PREFIX >> 32n
    ? { version: 4, bits: bits & 0xffff_ffffn }
    : { version: 6, bits };
}

// Decided here and not by node:net, which would load sockets and streams into every program that reads an address.
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const GROUPS = /^(?:[0-9a-fA-F]{1,4}(?::(?!$)|$))*$/;

/** How many groups a side of `::` has; undefined when it is not made of groups, and an IPv4 address at the end. */
function countGroups(side: string, mayEndInIpv4: boolean): number | undefined {
  if (side === '') return 0;
  const last = side.slice(side.lastIndexOf(':') + 1);
  if (!last.includes('.')) return GROUPS.test(side) ? side.split(':').length : undefined;
  if (!mayEndInIpv4 || !IPV4.test(last)) return undefined;
  if (side === last) return 2;
  const before = side.slice(0, -last.length - 1);
  return before !== '' && GROUPS.test(before) ? before.split(':').length + 2 : undefined;
}

function isIpv6(text: string): boolean {
  if (text.length > 45 || !text.includes(':')) return false;
  const [left = '', right, ...more] = text.split('::');
  if (right === undefined) return countGroups(left, true) === 8;
  const [before, after] = [countGroups(left, false), countGroups(right, true)];
  // `::` stands for at least one group.
  return more.length === 0 && before !== undefined && after !== undefined && before + after < 8;
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
