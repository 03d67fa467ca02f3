import { rateUnits } from '../../dataplane/index.js';
import type { NftConfig } from '../../dataplane/index.js';
import type { ValueType } from '../../policy/index.js';

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

export const hostName: ValueType<string> = {
  expected: 'a name of letters, digits, _ . - of at most 128',
  parse: text => (/^[a-zA-Z0-9_.-]{1,128}$/.test(text) ? text : undefined),
  format: String,
};
