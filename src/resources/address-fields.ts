import { canonicalCidr, canonicalIp, canonicalMac } from '../net/index.js';
import type { IpVersion } from '../net/index.js';
import type { Field } from './field.js';
import { reportField, reportValue } from './problem.js';

interface AddressField {
  readonly expected: string;
  readonly goType: string;
  readonly canonical: (text: string) => string | undefined;
  /** what the original said of a text that is none */
  readonly complaint: (text: string) => string;
}

function address({ expected, goType, canonical, complaint }: AddressField): Field<string> {
  return {
    expected,
    goType,
    schema: () => ({ type: 'string' }),
    read: (value, place) => {
      const text = value === null ? '' : value;
      if (typeof text === 'string') {
        return canonical(text) ?? reportValue(place, complaint(text), { value: text, expected });
      }
      const type = Array.isArray(text) ? 'array' : typeof text === 'boolean' ? 'bool' : typeof text;
      const said = `json: cannot unmarshal ${type} into Go value of type string`;
      return reportValue(place, said, { value, expected });
    },
    write: value => value,
  };
}

/** True for the canonical text of an address or network of version 4. */
export function isVersion4(text: string): boolean {
  return !text.includes(':');
}

/** An address in canonical text; of one version, where that is given. */
export function ip(version?: IpVersion): Field<string> {
  const expected = version === undefined ? 'an IP address' : `an IPv${String(version)} address`;
  const any = address({
    expected,
    goType: 'net.IP',
    canonical: canonicalIp,
    complaint: text => `invalid IP address: ${text}`,
  });
  if (version === undefined) return any;
  return {
    ...any,
    read: (value, place) => {
      const text = any.read(value, place);
      if (text === undefined || isVersion4(text) === (version === 4)) return text;
      return reportField(place, { value: text, expected });
    },
  };
}

/** A network in canonical text, host bits cleared. */
export function cidr(): Field<string> {
  return address({
    expected: 'a network as address/length',
    goType: 'net.IPNet',
    canonical: canonicalCidr,
    complaint: text => `invalid CIDR address: ${text}`,
  });
}

/** A hardware address in lower case with colons. */
export function mac(): Field<string> {
  return address({
    expected: 'a MAC address such as aa:bb:cc:dd:ee:ff',
    goType: 'net.MAC',
    canonical: canonicalMac,
    complaint: text => (text === '' ? 'invalid MAC address' : `address ${text}: invalid MAC address`),
  });
}

/** Version 4 before version 6, else in the order given: the store keeps two lists. */
export function version4First(texts: readonly string[]): readonly string[] {
  return [...texts.filter(isVersion4), ...texts.filter(text => !isVersion4(text))];
}
