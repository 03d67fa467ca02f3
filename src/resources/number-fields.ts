import { isProtocolName, MAX_AS_NUMBER, parseAsNumber } from '../net/index.js';
import type { ProtocolName } from '../net/index.js';
import type { Field } from './field.js';
import { plainText, reportField, reportType, reportValue } from './problem.js';
import type { Place } from './problem.js';
import { isPortName } from './text-fields.js';

/** true or false; false counts as absent, as it is shown. */
export function flag(): Field<boolean> {
  const expected = 'true or false';
  return {
    expected,
    goType: 'bool',
    schema: () => ({ type: 'boolean' }),
    read: (value, place) => {
      if (typeof value !== 'boolean') return reportType(place, 'bool', { value, expected });
      return value ? true : undefined;
    },
    write: value => (value ? true : undefined),
  };
}

/** Any finite number. */
export function float(): Field<number> {
  const expected = 'a number';
  return {
    expected,
    goType: 'float64',
    schema: () => ({ type: 'number' }),
    read: (value, place) => {
      const number = numberOf(value);
      if (number === undefined) return reportType(place, 'float64', { value, expected });
      // -0 would not survive JSON.
      return Number.isFinite(number) ? number + 0 : notFinite(place, number, expected);
    },
    write: value => value,
  };
}

function notFinite(place: Place, value: number, expected: string): undefined {
  const shown = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return reportValue(place, `json: unsupported value: ${shown}`, { value, expected });
}

/** A whole number. Its range is a rule of the record around it, where the original checks it there. */
export function integer(expected: string, inRange?: (value: number) => boolean): Field<number> {
  return {
    expected,
    goType: 'int',
    schema: () => ({ type: 'integer' }),
    read: (value, place) => {
      const number = numberOf(value);
      if (number === undefined || !Number.isInteger(number)) {
        return reportType(place, 'int', { value, expected });
      }
      if (inRange !== undefined && !inRange(number)) return reportField(place, { value: number, expected });
      return number + 0;
    },
    write: value => value,
  };
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** What the original said when a value type of numbers or texts got something else. */
function wrongJson(value: unknown, goType: string): string {
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : 'object';
  return `json: cannot unmarshal ${type} into Go value of type ${goType}`;
}

/** An AS number, as number or text, decimal or `high.low` (RFC 5396). */
export function asNumber(): Field<number> {
  const expected = `an AS number: 0 to ${String(MAX_AS_NUMBER)}, or a quoted text "high.low"`;
  return {
    expected,
    goType: 'numorstring.ASNumber',
    schema: () => ({ type: ['integer', 'string'] }),
    read: (value, place) => {
      const number = numberOf(value);
      if (number !== undefined) {
        if (Number.isInteger(number) && number >= 0 && number <= MAX_AS_NUMBER) return number + 0;
        const text = 'json: cannot unmarshal number into Go value of type string';
        return reportValue(place, text, { value, expected });
      }
      if (typeof value !== 'string')
        return reportValue(place, wrongJson(value, 'string'), { value, expected });
      return (
        parseAsNumber(value) ?? reportValue(place, `invalid AS Number format (${value})`, { value, expected })
      );
    },
    write: value => value,
  };
}

/** A port, a range of ports, or the name of one: 80, "80", "8000:8100" or http. A range of one is a number. */
export function port(): Field<number | string> {
  const expected = 'a port from 1 to 65535, a range "min:max", or the name of an endpoint\'s port';
  return {
    expected,
    goType: 'numorstring.Port',
    schema: () => ({ type: ['integer', 'string'] }),
    read: (value, place) => {
      if (typeof value === 'string' && isPortName(value)) return value;
      const range = readPort(value, place, expected);
      if (range === undefined) return undefined;
      const [min, max] = range;
      if (min < 1) {
        const reason = 'port range invalid, port number must be between 0 and 65536';
        return reportField(place, { value, expected, name: 'Port', shown: String(max), reason });
      }
      return min === max ? min : `${String(min)}:${String(max)}`;
    },
    write: value => value,
  };
}

function readPort(value: unknown, place: Place, expected: string): readonly [number, number] | undefined {
  const wrong = (text: string): undefined => reportValue(place, text, { value, expected });
  if (value === null) return [0, 0];
  const number = numberOf(value);
  if (number !== undefined) {
    if (isUint(number, 0xffff)) return [number, number];
    return wrong(`json: cannot unmarshal number ${plainText(value)} into Go value of type uint16`);
  }
  if (typeof value !== 'string') return wrong(wrongJson(value, 'uint16'));
  const single = uintOf(value, 0xffff);
  if (single !== undefined) return [single, single];
  const parts = value.split(':');
  if (parts.length !== 2) return wrong(`invalid port format (${value})`);
  const min = uintOf(parts[0] ?? '', 0xffff);
  if (min === undefined) return wrong(`invalid minimum port number in range (${value})`);
  const max = uintOf(parts[1] ?? '', 0xffff);
  if (max === undefined) return wrong(`invalid maximum port number in range (${value})`);
  if (min <= max) return [min, max];
  return wrong(
    `minimum port number (${String(min)}) is greater than maximum port number (${String(max)}) in port range`,
  );
}

function isUint(number: number, max: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= max;
}

/** Decimal digits, leading zeros allowed, as a number of at most `max`. */
function uintOf(text: string, max: number): number | undefined {
  return /^[0-9]+$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** A protocol of IP: a number, or one of the names of `protocolNumbers`. */
export function protocol(): Field<number | ProtocolName> {
  const expected = 'tcp, udp, icmp, icmpv6, sctp, udplite or a number from 1 to 255';
  return {
    expected,
    goType: 'numorstring.Protocol',
    schema: () => ({ type: ['integer', 'string'] }),
    read: (value, place) => {
      const number = typeof value === 'string' ? uintOf(value, 0xff) : numberOf(value);
      if (number === undefined) {
        if (typeof value !== 'string') {
          return reportValue(place, wrongJson(value, 'uint8'), { value, expected });
        }
        if (isProtocolName(value)) return value;
        return reportField(place, { value, expected, name: 'Protocol', reason: 'protocol name invalid' });
      }
      if (!isUint(number, 0xff)) {
        const text = `json: cannot unmarshal number ${plainText(value)} into Go value of type uint8`;
        return reportValue(place, text, { value, expected });
      }
      if (number > 0) return number;
      const reason = 'protocol number invalid';
      return reportField(place, { value, expected, name: 'Protocol', shown: '0', reason });
    },
    write: value => value,
  };
}
