import { formatCidr, formatIp, parseCidr, parseIp } from '../../net/index.js';
import type { FailsafePort } from '../failsafe-ports.js';

/** How the values of a parameter are written: the one place that reads and prints them. */
export interface ValueType<T> {
  /** the end of "expected …" */
  readonly expected: string;
  /** undefined: not such a value */
  parse(text: string): T | undefined;
  format(value: T): string;
  /** what the word `none` stands for; absent: it is refused */
  readonly none?: T;
}

const YES = ['true', '1', 'yes', 'y', 't'];
const NO = ['false', '0', 'no', 'n', 'f'];

export const bool: ValueType<boolean> = {
  expected: 'true or false',
  parse: text => {
    const word = text.toLowerCase();
    return YES.includes(word) ? true : NO.includes(word) ? false : undefined;
  },
  format: String,
  none: false,
};

/** One of some words, in any case; `aliases` are other spellings. */
export function oneOf<T extends string>(
  words: Readonly<Record<string, T>>,
  none?: { readonly value: T },
): ValueType<T> {
  const names = Object.keys(words);
  return {
    expected: `one of ${names.join(', ')}`,
    parse: text => {
      const found = names.find(name => name.toLowerCase() === text.toLowerCase());
      return found === undefined ? undefined : words[found];
    },
    format: value => names.find(name => words[name] === value) ?? value,
    ...(none === undefined ? {} : { none: none.value }),
  };
}

function commaList(text: string): readonly string[] {
  return text.split(',').map(item => item.trim());
}

export const interfacePrefixes: ValueType<readonly string[]> = {
  expected: 'beginnings of interface names (1-14 of letters, digits, _ -), with commas between',
  parse: text => {
    const prefixes = commaList(text);
    return prefixes.every(prefix => /^[a-zA-Z0-9_-]{1,14}$/.test(prefix)) ? prefixes : undefined;
  },
  format: value => value.join(','),
};

/** Empty for none. */
export const port: ValueType<number> = {
  expected: 'a port from 1 to 65535',
  parse: text => {
    const number = Number(text);
    return /^[0-9]{1,5}$/.test(text) && number >= 1 && number <= 65_535 ? number : undefined;
  },
  format: String,
};

export const ipv4OrNone: ValueType<string> = {
  expected: 'an IPv4 address',
  parse: text => {
    const ip = parseIp(text);
    return ip?.version === 4 ? formatIp(ip) : undefined;
  },
  format: value => (value === '' ? 'none' : value),
  none: '',
};

/** `port`, `protocol:port` or `protocol:network:port`, an IPv6 network in brackets. */
const FAILSAFE = /^(?:(tcp|udp):)?(?:(?:\[([0-9a-f:./]+)\]|([0-9./]+)):)?([0-9]{1,5})$/i;

function parseFailsafe(text: string): FailsafePort | undefined {
  const [found, name, network6, network4, digits] = FAILSAFE.exec(text) ?? [];
  const number = Number(digits);
  const network = network6 ?? network4;
  if (found === undefined || number < 1 || number > 65_535 || (network !== undefined && name === undefined))
    return undefined;
  const base = { protocol: name?.toLowerCase() === 'udp' ? 17 : 6, port: number } as const;
  if (network === undefined) return base;
  const net = parseCidr(
    network.includes('/') ? network : `${network}/${network6 === undefined ? '32' : '128'}`,
  );
  return net === undefined || (net.version === 6) !== (network6 !== undefined) ? undefined : { ...base, net };
}

function formatFailsafe({ protocol, port: number, net }: FailsafePort): string {
  const text = net === undefined ? '' : net.version === 6 ? `[${formatCidr(net)}]:` : `${formatCidr(net)}:`;
  return `${protocol === 6 ? 'tcp' : 'udp'}:${text}${String(number)}`;
}

export const failsafePorts: ValueType<readonly FailsafePort[]> = {
  expected: 'items port, protocol:port or protocol:network:port (tcp or udp), with commas between',
  parse: text => {
    const items = commaList(text).map(parseFailsafe);
    return items.includes(undefined) ? undefined : items.filter(item => item !== undefined);
  },
  format: value => value.map(formatFailsafe).join(', '),
  none: [],
};
