import { parseCidr } from '../net/index.js';
import { parseSelector } from '../selector/index.js';
import type { RuleMatch } from './model.js';
import type { Issue } from '../base/index.js';
import type { Cidr, PortRange } from '../net/index.js';
import type { Selector } from '../selector/index.js';

/** Where a conversion stands, and where it reports to. */
export interface Place {
  readonly path: string;
  readonly issues: Issue[];
}

/** Which end of a packet a criterion is about. */
export type Side = 'source' | 'destination';

/** Notes what is wrong there. */
export function report(place: Place, value: unknown, expected: string): undefined {
  place.issues.push({ path: place.path, value: String(value), expected });
}

/** The place of a field. */
export function inside(place: Place, name: string): Place {
  return { ...place, path: `${place.path}.${name}` };
}

/** The criteria made of a value, or none when it could not be read: then the whole rule becomes a deny. */
export function given<T>(value: T | undefined, criteria: (value: T) => RuleMatch): RuleMatch {
  return value === undefined ? {} : criteria(value);
}

function readNets(texts: readonly string[], place: Place): readonly Cidr[] | undefined {
  const nets = texts.map(text => parseCidr(text) ?? report(place, text, 'a network: address/length'));
  const read = nets.filter(net => net !== undefined);
  return read.length === texts.length && read.length > 0 ? read : undefined;
}

/** The selector; undefined when the text is none, which is reported. */
export function readSelector(text: string, place: Place): Selector | undefined {
  const parsed = parseSelector(text);
  return parsed.ok ? parsed.selector : report(place, text, `a selector (${parsed.reason})`);
}

function readPort(value: number | string, place: Place): PortRange | undefined {
  const [min = NaN, max = min, ...rest] = String(value).split(':').map(Number);
  const isRange = rest.length === 0 && Number.isInteger(min) && Number.isInteger(max);
  return isRange && min >= 1 && min <= max && max <= 65_535
    ? { min, max }
    : report(place, value, 'a port from 1 to 65535, or a range "min:max"');
}

/** Digits and ranges are numbers; whatever else the resource allows is the name of a port. */
function isPortName(value: number | string): value is string {
  return typeof value === 'string' && /[A-Za-z]/.test(value);
}

/** One of the ports, by number or by name. */
export function inPorts(values: readonly (number | string)[], side: Side, place: Place): RuleMatch {
  const names = values.filter(isPortName);
  const ranges = readPorts(
    values.filter(value => !isPortName(value)),
    place,
  );
  if (ranges === undefined) return {};
  return side === 'source'
    ? {
        ...(ranges.length > 0 && { sourcePorts: ranges }),
        ...(names.length > 0 && { sourcePortNames: names }),
      }
    : {
        ...(ranges.length > 0 && { destinationPorts: ranges }),
        ...(names.length > 0 && { destinationPortNames: names }),
      };
}

/** None of the ports, by number and by name. */
export function inNoPorts(values: readonly (number | string)[], side: Side, place: Place): RuleMatch {
  const { sourcePorts, sourcePortNames } = inPorts(values, 'source', place);
  return side === 'source'
    ? {
        ...(sourcePorts !== undefined && { notSourcePorts: sourcePorts }),
        ...(sourcePortNames !== undefined && { notSourcePortNames: sourcePortNames }),
      }
    : {
        ...(sourcePorts !== undefined && { notDestinationPorts: sourcePorts }),
        ...(sourcePortNames !== undefined && { notDestinationPortNames: sourcePortNames }),
      };
}

function readPorts(values: readonly (number | string)[], place: Place): readonly PortRange[] | undefined {
  const ranges = values.map(value => readPort(value, place)).filter(range => range !== undefined);
  return ranges.length === values.length ? ranges : undefined;
}

/** In one of the networks. */
export function inNets(texts: readonly string[], side: Side, place: Place): RuleMatch {
  return given(readNets(texts, place), nets =>
    side === 'source' ? { sourceNets: nets } : { destinationNets: nets },
  );
}

/** In none of the networks. */
export function inNoneOf(texts: readonly string[], side: Side, place: Place): RuleMatch {
  return given(readNets(texts, place), nets =>
    side === 'source' ? { notSourceNets: nets } : { notDestinationNets: nets },
  );
}
