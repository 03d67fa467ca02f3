import { formatCidr, formatIp, parseCidr, parseIp } from '../../net/index.js';
import { rateUnits } from '../../dataplane/index.js';
import type { FailsafePort, NftConfig } from '../../dataplane/index.js';

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

/** Decimal, `0x` hexadecimal or `0` octal, as configurations of the field write numbers. */
function parseInteger(text: string): number | undefined {
  if (/^-?(0|[1-9][0-9]*)$/.test(text) || /^0x[0-9a-f]+$/i.test(text)) return Number(text);
  return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

export function integer(min: number, max: number, what: string): ValueType<number> {
  return {
    expected: `${what} from ${String(min)} to ${String(max)}`,
    parse: text => {
      const value = parseInteger(text);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
    format: String,
    ...(min <= 0 ? { none: 0 } : {}),
  };
}

/** The same without some numbers. */
export function integerBut(without: readonly number[], type: ValueType<number>): ValueType<number> {
  return {
    ...type,
    expected: `${type.expected} but ${without.join(' and ')}`,
    parse: text => {
      const value = type.parse(text);
      return value === undefined || without.includes(value) ? undefined : value;
    },
  };
}

/** What timers can still count, in seconds. */
const MOST_SECONDS = 2_000_000;

/** Whole seconds; 0 switches off. */
export const seconds = integer(0, MOST_SECONDS, 'a number of seconds');

/** Seconds with fractions; 0 is as soon as possible. */
export const fractionalSeconds: ValueType<number> = {
  expected: 'a number of seconds, such as 0.5',
  parse: text => {
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : NaN;
    return value <= MOST_SECONDS ? value : undefined;
  },
  format: String,
  none: 0,
};

export const port = integer(1, 65_535, 'a port');

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

/** Text of which nothing could end a string in the language of nft; what comes behind it has to fit too. */
export const logPrefix: ValueType<string> = {
  expected: 'up to 100 printable ASCII characters without quotes and backslashes',
  parse: text => (/^[ !#-[\]-~]{1,100}$/.test(text) ? text : undefined),
  format: String,
};

type Rate = NonNullable<NftConfig['logRateLimit']>;

function isRateUnit(text: string): text is Rate['per'] {
  return Object.hasOwn(rateUnits, text);
}

/** `10/second`; undefined is without a limit. */
export const rate: ValueType<Rate | undefined> = {
  expected: `a number and a unit, such as 10/second (${Object.keys(rateUnits).join(', ')})`,
  parse: text => {
    const [found, digits, per = ''] = /^([1-9][0-9]{0,5})\/([a-z]+)$/.exec(text.toLowerCase()) ?? [];
    return found !== undefined && isRateUnit(per) ? { count: Number(digits), per } : undefined;
  },
  format: value => (value === undefined ? 'none' : `${String(value.count)}/${value.per}`),
  none: undefined,
};

/** A group of netlink's log; undefined is the kernel's log. */
export const netlinkGroup: ValueType<number | undefined> = {
  ...integer(0, 65_535, 'a group'),
  format: value => (value === undefined ? 'none' : String(value)),
  none: undefined,
};

/** Empty for none. */
export const ipv4OrNone: ValueType<string> = {
  expected: 'an IPv4 address',
  parse: text => {
    const ip = parseIp(text);
    return ip?.version === 4 ? formatIp(ip) : undefined;
  },
  format: value => (value === '' ? 'none' : value),
  none: '',
};

export const hostName: ValueType<string> = {
  expected: 'a name of letters, digits, _ . - of at most 128',
  parse: text => (/^[a-zA-Z0-9_.-]{1,128}$/.test(text) ? text : undefined),
  format: String,
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
