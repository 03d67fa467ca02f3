import { parseSelector } from '../selector/index.js';
import type { Field } from './field.js';
import { inside, isPlain, plainText, report, reportField, reportType } from './problem.js';
import type { LegacyText, Place } from './problem.js';
import { asMap } from './record.js';

const NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const INTERFACE = /^[a-zA-Z0-9_-]{1,15}$/;
const PORT_NAME = /^(?=.*[a-zA-Z])[a-zA-Z0-9_.-]{1,63}$/;
const LABEL_KEY = /^([a-zA-Z0-9.-]{0,253}\/)?[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?$/;
const LABEL_VALUE = /^[a-zA-Z0-9]?([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?$/;
// Control characters would break a log line or a table, `/` the key under which the resource is stored.
// oxlint-disable-next-line no-control-regex
const KEY_PART = /^[^/\u0000-\u001f\u007f]+$/;

/** Numbers and booleans count as texts: YAML has no other way to write the name `123` without quotes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return isPlain(value) ? String(value) : undefined;
}

function matching(pattern: RegExp, expected: string): Field<string> {
  return {
    expected,
    goType: 'string',
    schema: () => ({ type: 'string', pattern: pattern.source }),
    read: (value, place) => {
      const text = textOf(value);
      if (text === undefined) return reportType(place, 'string', { value, expected });
      return pattern.test(text) ? text : reportField(place, { value: text, expected });
    },
    write: value => value,
  };
}

/** The name of a resource, a profile or a tag (resources.md 5). */
export function name(): Field<string> {
  return matching(NAME, 'a name of 1 to 128 letters, digits, _ . -');
}

/** An identifier that becomes part of a key but has no other form: a workload, an orchestrator. */
export function keyPart(): Field<string> {
  return matching(KEY_PART, 'a text without / and control characters');
}

/** True for what can be the name of a port, and never a number or a range. */
export function isPortName(text: string): boolean {
  return PORT_NAME.test(text);
}

/** The name of a port: it has a letter, so that it is no number, and no `:`, so that it is no range. */
export function portName(): Field<string> {
  return matching(PORT_NAME, 'a name of 1 to 63 letters, digits, _ . - with at least one letter');
}

/** The name of a network interface; no `.` or `:` (resources.md 5). */
export function interfaceName(): Field<string> {
  return matching(INTERFACE, 'an interface name of 1 to 15 letters, digits, _ -');
}

/** One of a few words, spelt exactly. */
export function choice<const T extends string>(words: readonly T[]): Field<T> {
  const last = words.at(-1) ?? '';
  const expected = words.length === 1 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
  return {
    expected,
    goType: 'string',
    schema: () => ({ enum: words }),
    read: (value, place) => {
      const text = textOf(value);
      if (text === undefined) return reportType(place, 'string', { value, expected });
      return words.find(word => word === text) ?? reportField(place, { value: text, expected });
    },
    write: value => value,
  };
}

/** A label selector; the text stays as the user wrote it, and '' selects everything. */
export function selector(): Field<string> {
  const expected = "a label selector such as role == 'db' && has(zone)";
  return {
    expected,
    goType: 'string',
    schema: () => ({ type: 'string' }),
    read: (value, place) => {
      const text = textOf(value);
      if (text === undefined) return reportType(place, 'string', { value, expected });
      const parsed = parseSelector(text);
      if (parsed.ok) return text;
      const where = `${parsed.reason} at character ${String(parsed.position + 1)}`;
      return reportField(place, { value: text, expected: `${expected}; ${where}` });
    },
    write: value => value,
  };
}

/** Labels: keys and values of resources.md 5; none at all count as absent. */
export function labels(): Field<Readonly<Record<string, string>>> {
  const goType = 'map[string]string';
  const expected = 'a map of label names to texts';
  return {
    expected,
    goType,
    schema: () => ({ type: 'object', additionalProperties: { type: 'string' } }),
    read: (value, place) => {
      const map = asMap(value);
      if (map === undefined) return reportType(place, goType, { value, expected });
      const read: Record<string, string> = {};
      let complained = false;
      for (const [key, inner] of Object.entries(map)) {
        const text = textOf(inner);
        if (text === undefined)
          reportType(inside(place, key), 'string', { value: inner, expected: 'a text' });
        else if (LABEL_KEY.test(key) && LABEL_VALUE.test(text)) read[key] = text;
        else {
          complainOfLabel({ place, map, key, text, first: !complained });
          complained = true;
        }
      }
      return Object.keys(read).length === 0 ? undefined : read;
    },
    write: value => (Object.keys(value).length === 0 ? undefined : { ...value }),
  };
}

/** One line for each bad label; the original names the whole map, once. */
function complainOfLabel(bad: {
  readonly place: Place;
  readonly map: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly text: string;
  readonly first: boolean;
}): void {
  const { place, map, key, text, first } = bad;
  const expected = LABEL_KEY.test(key)
    ? 'a label value of at most 63 letters, digits, _ . - that ends with a letter or digit'
    : 'a label name of at most 63 letters, digits, _ . - that starts and ends with a letter or digit, with an optional prefix and /';
  const shown = Object.keys(map)
    .sort()
    .map(each => `${each}:${plainText(map[each])}`);
  const legacy: LegacyText = { kind: 'field', name: 'labels', value: `map[${shown.join(' ')}]` };
  report(inside(place, key), { value: text, expected, ...(first ? { legacy } : {}) });
}
