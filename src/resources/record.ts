import type { Field, PresentField, ValueOf } from './field.js';
import { inside, reportType, reportUnknownField } from './problem.js';
import type { Place } from './problem.js';

/** Fields by name, in the order of output. */
export type Shape = Readonly<Record<string, Field<unknown>>>;

type PresentNames<S extends Shape> = {
  [Name in keyof S]: S[Name] extends PresentField<unknown> ? Name : never;
}[keyof S];

type Flat<T> = { [Name in keyof T]: T[Name] };

/** The values that fields of that shape read. */
export type Shaped<S extends Shape> = Flat<
  { readonly [Name in PresentNames<S>]: ValueOf<S[Name]> } & {
    readonly [Name in Exclude<keyof S, PresentNames<S>>]?: ValueOf<S[Name]>;
  }
>;

export interface RecordOptions<S extends Shape> {
  /** the original's name of the struct: `PolicySpec` */
  readonly struct: string;
  /** other names that are understood for a field */
  readonly aliases?: Readonly<Record<string, keyof S & string>>;
  /** without any field it counts as absent */
  readonly dropEmpty?: boolean;
  /** Rules over several fields; those that could not be read are absent from `value` and named in `failed`. */
  readonly check?: (value: Partial<Shaped<S>>, place: Place, failed: ReadonlySet<string>) => void;
}

const none: ReadonlySet<string> = new Set();

/** A map with fixed fields. Names match exactly or in another case; one that no field has is a problem. */
export function record<S extends Shape>(fields: S, options: RecordOptions<S>): Field<Shaped<S>> {
  const { struct, aliases = {}, dropEmpty = false, check } = options;
  const names = Object.keys(fields);
  const goType = `api.${struct}`;
  const expected = `a map with ${names.length === 1 ? 'the field' : 'fields out of'} ${names.join(', ')}`;
  const find = fieldFinder(names, aliases);
  const present = Object.entries(fields).filter((entry): entry is [string, PresentField<unknown>] =>
    isPresent(entry[1]),
  );
  const nullable = new Set(names.filter(name => fields[name]?.takesNull === true));

  const read = (input: unknown, place: Place): Shaped<S> | undefined => {
    const map = input === null ? {} : asMap(input);
    if (map === undefined) return reportType(place, goType, { value: input, expected });
    const before = place.problems.length;
    const value: Record<string, unknown> = {};
    let failed: Set<string> | undefined;
    const fail = (name: string, count: number): void => {
      if (place.problems.length > count) (failed ??= new Set()).add(name);
    };
    for (const { name, key, inner } of pairKeys({ map, find, place, expected })) {
      if (inner === null && !nullable.has(name)) continue;
      const count = place.problems.length;
      const result = fields[name]?.read(inner, inside(place, key, `${struct}.${name}`));
      if (result !== undefined) value[name] = result;
      fail(name, count);
    }
    for (const [name, field] of present) {
      if (name in value || failed?.has(name) === true) continue;
      const count = place.problems.length;
      value[name] = field.absent(inside(place, name, `${struct}.${name}`));
      fail(name, count);
    }
    // What stands in `value` was read by the fields of the shape, so it has their types; the present ones are
    // all there unless a problem was reported.
    check?.(value as Partial<Shaped<S>>, place, failed ?? none);
    if (place.problems.length > before) return undefined;
    return dropEmpty && Object.keys(value).length === 0 ? undefined : (value as Shaped<S>);
  };

  return { expected, goType, schema: schemaOf(fields), read, write: value => write(fields, value) };
}

/** A record that is there even where the user left it out. */
export function presentRecord<S extends Shape>(
  fields: S,
  options: RecordOptions<S>,
): PresentField<Shaped<S>> {
  const inner = record(fields, options);
  return { ...inner, present: true, absent: place => inner.read({}, place) };
}

function isPresent(field: Field<unknown>): boolean {
  return 'present' in field;
}

/** The input as a map, when it is one. */
export function asMap(input: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  // Any object may be read by key; a Date or the like has no keys of its own and would look like an empty map.
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === Object.prototype || prototype === null
    ? (input as Readonly<Record<string, unknown>>)
    : undefined;
}

/** Finds the field that a key of the input means. */
export type FieldFinder = (key: string) => string | undefined;

/** Exact names before other spellings, as the original decodes. */
export function fieldFinder(
  names: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): FieldFinder {
  const exact = new Map([...Object.entries(aliases), ...names.map(name => [name, name] as const)]);
  const anyCase = new Map([...exact].map(([spelling, name]) => [spelling.toLowerCase(), name]));
  return key => exact.get(key) ?? anyCase.get(key.toLowerCase());
}

interface PairedKey {
  readonly name: string;
  readonly key: string;
  readonly inner: unknown;
}

/** The keys of a map with the fields that they mean, in the order of the document. */
export function* pairKeys({
  map,
  find,
  place,
  expected,
}: {
  readonly map: Readonly<Record<string, unknown>>;
  readonly find: FieldFinder;
  readonly place: Place;
  readonly expected: string;
}): Generator<PairedKey, void> {
  const paired: PairedKey[] = [];
  for (const key of Object.keys(map)) {
    if (map[key] === undefined) continue;
    const name = find(key);
    if (name === undefined) {
      reportUnknownField(inside(place, key), map[key], expected, key);
      continue;
    }
    const earlier = paired.find(other => other.name === name);
    if (earlier === undefined) {
      const pair = { name, key, inner: map[key] };
      paired.push(pair);
      yield pair;
      continue;
    }
    // The original named the spelling that comes first in byte order, even when it is the right one.
    const named = earlier.key < key ? earlier.key : key;
    reportUnknownField(inside(place, key), map[key], `${name} only once; ${earlier.key} is there too`, named);
  }
}

function write(fields: Shape, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const inner = value[name];
    const shown = inner === undefined ? undefined : fields[name]?.write(inner);
    if (shown !== undefined) out[name] = shown;
  }
  return out;
}

function schemaOf(fields: Shape): Field<unknown>['schema'] {
  const properties = Object.entries(fields).map(
    ([name, field]) => [name, { ...field.schema, description: field.expected }] as const,
  );
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}
