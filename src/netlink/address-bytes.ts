import { canonicalMac, formatIp, parseIp, widthOf } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import { CalicoError } from '../base/index.js';

/** `AF_INET` and `AF_INET6`. */
export const FAMILY_IPV4 = 2;
export const FAMILY_IPV6 = 10;

/** The kernel's number for the address family of a version. */
export function familyOf(version: IpVersion): number {
  return version === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
}

/** The address as the kernel wants it: 4 or 16 bytes in network order. */
export function ipBytes(ip: Ip): Uint8Array {
  const bytes = new Uint8Array(widthOf(ip.version) / 8);
  let { bits } = ip;
  for (let i = bytes.length - 1; i >= 0; i--, bits >>= 8n) bytes[i] = Number(bits & 0xffn);
  return bytes;
}

/** The canonical text of the 4 or 16 bytes at `at`. */
export function readIp(view: DataView, at: number, length: number): string {
  if (length === 4) {
    return `${String(view.getUint8(at))}.${String(view.getUint8(at + 1))}.${String(view.getUint8(at + 2))}.${String(view.getUint8(at + 3))}`;
  }
  return formatIp({ version: 6, bits: (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8) });
}

/** Six bytes of a hardware address. */
export function macBytes(mac: string): Uint8Array {
  const canonical = canonicalMac(mac);
  if (canonical?.length !== 17) throw new CalicoError('invalid', `"${mac}" is not an Ethernet address`);
  return Uint8Array.from(canonical.split(':'), byte => Number.parseInt(byte, 16));
}

/** `aa:bb:…` of the bytes at `at`. */
export function readMac(view: DataView, at: number, length: number): string {
  return Array.from({ length }, (_, i) =>
    view
      .getUint8(at + i)
      .toString(16)
      .padStart(2, '0'),
  ).join(':');
}

/** An address for a message, or an `invalid` error: what reaches the kernel was parsed here. */
export function requireIp(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new CalicoError('invalid', `"${text}" is not an IP address`);
  return ip;
}

/** `address/length` with the address kept whole (a CIDR would clear its host part). */
export function requireAddressWithLength(text: string): { readonly ip: Ip; readonly length: number } {
  const [address = '', lengthText = '', ...rest] = text.split('/');
  const ip = parseIp(address);
  const length = Number(lengthText);
  if (ip === undefined || rest.length > 0 || !/^\d{1,3}$/.test(lengthText) || length > widthOf(ip.version)) {
    throw new CalicoError('invalid', `"${text}" is not an address with prefix length`);
  }
  return { ip, length };
}
