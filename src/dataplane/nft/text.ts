import { formatCidr, formatIp, maskOf, parseCidr, parseIp, widthOf } from '../../net/index.js';
import type { Cidr, IpVersion, PortRange } from '../../net/index.js';
import type { ElementKey, KeyField, NftSet } from './model.js';

/**
 * The one place where values become nft text. Nothing else puts a value into a command: each function here
 * checks that what it was given has the form that nft reads as that one value, and throws when it has not.
 */
function checked(what: string, text: string, form: RegExp): string {
  if (!form.test(text)) throw new Error(`not a safe ${what} for nft: ${JSON.stringify(text)}`);
  return text;
}

/** A generated name of a chain, set or map. */
export function nameText(name: string): string {
  return checked('name', name, /^[a-z][A-Za-z0-9_-]{1,30}$/);
}

const interfaceForm = /^(?!\.{1,2}$)[A-Za-z0-9_.=+@-]{1,15}$/;

/**
 * True when the kernel and nft both take the text as one interface name. Stricter than the kernel: a quote,
 * a backslash or a star means something to nft.
 */
export function isInterfaceName(text: string): boolean {
  return interfaceForm.test(text);
}

/** One interface by its whole name. */
export function interfaceText(name: string): string {
  return `"${checked('interface name', name, interfaceForm)}"`;
}

/** Every interface whose name starts with `prefix`. */
export function interfacePrefixText(prefix: string): string {
  return `"${checked('interface prefix', prefix, /^[A-Za-z0-9_-]{1,14}$/)}*"`;
}

/** A whole number in [0, max]. */
export function numberText(value: number, max: number): string {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new Error(`not in 0..${String(max)}: ${String(value)}`);
  return String(value);
}

/** Bits of a packet's mark. */
export function bitsText(bits: number): string {
  return `0x${Number(numberText(bits, 0xffff_ffff)).toString(16)}`;
}

function rangeText({ min, max }: PortRange): string {
  return min === max ? numberText(min, 0xffff) : `${numberText(min, 0xffff)}-${numberText(max, 0xffff)}`;
}

function oneOrSet(items: readonly string[]): string {
  return items.length === 1 ? items.join('') : `{ ${items.join(', ')} }`;
}

export function rangesText(ranges: readonly PortRange[]): string {
  return oneOrSet(ranges.map(rangeText));
}

export function numbersText(values: readonly number[], max: number): string {
  return oneOrSet(values.map(value => numberText(value, max)));
}

export function netsText(nets: readonly Cidr[]): string {
  return oneOrSet(nets.map(formatCidr));
}

export function maskText(version: IpVersion, length: number): string {
  return formatIp({ version, bits: maskOf(version, length) });
}

/** Most that nft takes is 128 bytes; nft has no escapes in strings, so what could end one is replaced. */
export function commentText(comment: string): string {
  return quoted(comment, 128);
}

export function logPrefixText(prefix: string): string {
  return quoted(prefix, 127);
}

function quoted(text: string, length: number): string {
  return `"${text.replaceAll(/[^ !#-[\]-~]/g, '_').slice(0, length)}"`;
}

/** One address of that version. */
export function addressText(version: IpVersion, text: string): string {
  const ip = parseIp(text);
  if (ip?.version !== version)
    throw new Error(`not an IPv${String(version)} address: ${JSON.stringify(text)}`);
  return formatIp(ip);
}

function intervalText(text: string): string {
  const net = parseCidr(text);
  if (net === undefined) throw new Error(`not a network: ${JSON.stringify(text)}`);
  // nft spells a network of full length as an address.
  return net.length === widthOf(net.version) ? formatIp(net) : formatCidr(net);
}

function digitsText(text: string, max: number): string {
  return numberText(Number(checked('number', text, /^[0-9]{1,5}$/)), max);
}

const fieldTexts: Readonly<Record<KeyField, (text: string) => string>> = {
  ipv4_addr: text => addressText(4, text),
  ipv6_addr: text => addressText(6, text),
  ifname: interfaceText,
  inet_proto: text => digitsText(text, 0xff),
  inet_service: text => digitsText(text, 0xffff),
};

/** An element's key in the spelling of its set. */
export function keyText(set: NftSet, key: ElementKey): string {
  if (set.intervals === true) return intervalText(key);
  const values = key.split(' . ');
  if (values.length !== set.key.length) throw new Error(`not a key of ${set.name}: ${JSON.stringify(key)}`);
  return set.key.map((field, index) => fieldTexts[field](values[index] ?? '')).join(' . ');
}
