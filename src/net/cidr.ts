import { formatIp, parseIp, widthOf } from './ip.js';
import type { Ip, IpVersion } from './ip.js';

/** A network: `bits` has the host part cleared. */
export interface Cidr {
  readonly version: IpVersion;
  readonly bits: bigint;
  readonly length: number;
}

/** All-ones in the first `length` bits of an address of that version. */
export function maskOf(version: IpVersion, length: number): bigint {
  const width = BigInt(widthOf(version));
  return ((1n << BigInt(length)) - 1n) << (width - BigInt(length));
}

/** The network of `length` bits around an address. */
export function networkOf(ip: Ip, length: number): Cidr {
  return { version: ip.version, bits: ip.bits & maskOf(ip.version, length), length };
}

/** Reads `address/length`; host bits are cleared; the length is mandatory. Undefined when it is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (ip === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return undefined;
  let length = Number(lengthText);
  // A mapped address was written with a length out of 128: what it means in version 4 is 96 less.
  if (ip.version === 4 && text.slice(0, slash).includes(':')) length -= 96;
  if (length < 0 || length > widthOf(ip.version)) return undefined;
  return networkOf(ip, length);
}

/** Canonical text `address/length`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr)}/${String(cidr.length)}`;
}

export function canonicalCidr(text: string): string | undefined {
  const cidr = parseCidr(text);
  return cidr === undefined ? undefined : formatCidr(cidr);
}

/** True when the address, or every address of the network, lies inside `outer`. */
export function contains(outer: Cidr, inner: Ip | Cidr): boolean {
  if (outer.version !== inner.version) return false;
  if ('length' in inner && inner.length < outer.length) return false;
  return (inner.bits & maskOf(outer.version, outer.length)) === outer.bits;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a);
}

/** How many addresses it holds. */
export function sizeOf(cidr: Cidr): bigint {
  return 1n << BigInt(widthOf(cidr.version) - cidr.length);
}

/** The address at `index` (0 is the network address). */
export function addressAt(cidr: Cidr, index: bigint | number): Ip {
  return { version: cidr.version, bits: cidr.bits + BigInt(index) };
}

/** The network that holds just this address. */
export function hostCidr(ip: Ip): Cidr {
  return { version: ip.version, bits: ip.bits, length: widthOf(ip.version) };
}
