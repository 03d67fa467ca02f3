import { CalicoError } from '../../../base/index.js';
import { formatIp, parseIp, widthOf } from '../../../net/index.js';
import type { Ip, IpVersion } from '../../../net/index.js';
import type { NftKeyType } from '../../../netlink/index.js';
import type { ElementKey, KeyField, NftSet } from '../model.js';
import { isInterfaceName } from '../text.js';

/** Each field of a concatenation starts at a multiple of four bytes. */
function padded(length: number): number {
  return (length + 3) & ~3;
}

const interfaceLength = 16;
/** nft numbers a concatenation by six bits for each field. */
const fieldBits = 6;

interface Field {
  readonly type: NftKeyType;
  readonly bytes: (text: string) => Uint8Array;
  readonly text: (bytes: Uint8Array) => string;
}

/** An address in network order. */
export function addressBytes({ version, bits }: Ip): Uint8Array {
  if (version === 4) {
    // Tens of thousands of them come at once.
    const number = Number(bits);
    return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
  }
  const bytes = new Uint8Array(widthOf(version) / 8);
  for (let [at, rest] = [bytes.length - 1, bits]; at >= 0; at--, rest >>= 8n)
    bytes[at] = Number(rest & 0xffn);
  return bytes;
}

/** An address from its 4 or 16 bytes. */
export function addressOf(bytes: Uint8Array): Ip {
  const bits = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { version: bytes.length === 4 ? 4 : 6, bits };
}

/** A port in network order. */
export function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

function numberIn(text: string, max: number): number {
  const number = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || number > max)
    throw new Error(`not in 0..${String(max)}: ${JSON.stringify(text)}`);
  return number;
}

/** An interface's name filled up with zero bytes. */
function interfaceBytes(name: string): Uint8Array {
  if (!isInterfaceName(name)) throw new Error(`not an interface name: ${JSON.stringify(name)}`);
  const bytes = new Uint8Array(interfaceLength);
  // The form of a name leaves ASCII alone.
  for (let at = 0; at < name.length; at++) bytes[at] = name.charCodeAt(at);
  return bytes;
}

/** The name that begins the bytes. */
function interfaceOf(bytes: Uint8Array): string {
  const zero = bytes.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? bytes : bytes.subarray(0, zero));
}

function addressField(id: number, version: IpVersion): Field {
  return {
    type: { id, length: widthOf(version) / 8, byteOrder: 'big-endian' },
    bytes: text => {
      const ip = parseIp(text);
      if (ip?.version !== version) throw new CalicoError('invalid', `not an address of that set: ${text}`);
      return addressBytes(ip);
    },
    text: bytes => formatIp(addressOf(bytes)),
  };
}

/** nft's numbers of the types of keys that we use. */
const fields: Readonly<Record<KeyField, Field>> = {
  ipv4_addr: addressField(7, 4),
  ipv6_addr: addressField(8, 6),
  inet_proto: {
    type: { id: 12, length: 1, byteOrder: 'big-endian' },
    bytes: text => Uint8Array.of(numberIn(text, 0xff)),
    text: bytes => String(bytes[0] ?? 0),
  },
  inet_service: {
    type: { id: 13, length: 2, byteOrder: 'big-endian' },
    bytes: text => portBytes(numberIn(text, 0xffff)),
    text: ([high = 0, low = 0]) => String(high * 256 + low),
  },
  ifname: {
    type: { id: 41, length: interfaceLength, byteOrder: 'host' },
    bytes: interfaceBytes,
    text: interfaceOf,
  },
};

const fieldNames = Object.keys(fields) as readonly KeyField[];

/** The kernel's notion of a set's key. */
export function keyTypeOf(key: readonly KeyField[]): NftKeyType {
  const [first, ...more] = key.map(field => fields[field].type);
  if (first === undefined) throw new Error('a set has a key');
  if (more.length === 0) return first;
  return [first, ...more].reduce<NftKeyType>(
    (whole, field) => ({
      id: (whole.id << fieldBits) | field.id,
      length: whole.length + padded(field.length),
      byteOrder: 'none',
    }),
    { id: 0, length: 0, byteOrder: 'none' },
  );
}

/** The fields of a key by nft's number of its type; undefined when it is none of ours. */
export function keyFieldsOf(id: number): readonly KeyField[] | undefined {
  const key: KeyField[] = [];
  for (let rest = id; rest > 0; rest >>>= fieldBits) {
    const field = fieldNames.find(name => fields[name].type.id === (rest & ((1 << fieldBits) - 1)));
    if (field === undefined) return undefined;
    key.unshift(field);
  }
  return key.length === 0 ? undefined : key;
}

/** An element's key in the set's form; throws for what is none. */
export function keyBytes(set: NftSet, key: ElementKey): Uint8Array {
  if (set.key.length === 1) return fieldBytes(set.key, [key], 0);
  const values = key.split(' . ');
  if (values.length !== set.key.length) throw new Error(`not a key of ${set.name}: ${JSON.stringify(key)}`);
  const { length } = keyTypeOf(set.key);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [index, field] of set.key.entries()) {
    bytes.set(fieldBytes(set.key, values, index), at);
    at += padded(fields[field].type.length);
  }
  return bytes;
}

function fieldBytes(key: readonly KeyField[], values: readonly string[], index: number): Uint8Array {
  const [field, value] = [key[index], values[index]];
  if (field === undefined || value === undefined) throw new Error('a key has a value for each field');
  return fields[field].bytes(value);
}

/** The reverse of keyBytes. */
export function keyOfBytes(key: readonly KeyField[], bytes: Uint8Array): ElementKey {
  const texts: string[] = [];
  let at = 0;
  for (const field of key) {
    const { length } = fields[field].type;
    texts.push(fields[field].text(bytes.subarray(at, at + length)));
    at += padded(length);
  }
  return texts.join(' . ');
}
