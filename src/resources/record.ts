import type { Field, JsonSchema, PresentField, ValueOf } from './field.js';
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
  // Made at the first use: a short command uses the records of one kind.
  let made: Layout | undefined;
  const layout = (): Layout => (made ??= layoutOf(fields, struct, aliases));

  const read = (input: unknown, place: Place): Shaped<S> | undefined => {
    const map = input === null ? {} : asMap(input);
    if (map === undefined) return reportType(place, goType, { value: input, expected });
    const before = place.problems.length;
    const { members, finder, known } = layout();
    const { value, failed } = readMembers(members, finder, { map, place, expected: known });
    // What stands in `value` was read by the fields of the shape, so it has their types; the present ones are
    // all there unless a problem was reported.
    check?.(value as Partial<Shaped<S>>, place, failed);
    if (place.problems.length > before) return undefined;
    return dropEmpty && Object.keys(value).length === 0 ? undefined : (value as Shaped<S>);
  };

  let schema: JsonSchema | undefined;
  return {
    expected,
    goType,
    schema: () => (schema ??= schemaOf(fields)),
    read,
    write: value => write(layout().members, value),
  };
}

/** How the keys of a map are found, and what to say of others. */
interface Layout {
  readonly members: readonly Member[];
  readonly finder: NameFinder<Member>;
  readonly known: string;
}

function layoutOf(fields: Shape, struct: string, aliases: Readonly<Record<string, string>>): Layout {
  const members = Object.entries(fields).map(([name, field]): Member => ({
    name,
    field,
    owner: `${struct}.${name}`,
  }));
  const names = Object.keys(fields);
  return {
    members,
    finder: nameFinder(new Map(members.map(member => [member.name, member])), aliases),
    known: names.length === 1 ? `only ${names.join()}` : `one of ${names.join(', ')}`,
  };
}

interface Member {
  readonly name: string;
  readonly field: Field<unknown> | PresentField<unknown>;
  readonly owner: string;
}

interface MapInput {
  readonly map: Readonly<Record<string, unknown>>;
  readonly place: Place;
  /** of a key that means nothing */
  readonly expected: string;
}

/** The values that could be read, and the names of those that could not. */
interface MembersRead {
  readonly value: Record<string, unknown>;
  readonly failed: ReadonlySet<string>;
}

function readMembers(members: readonly Member[], finder: NameFinder<Member>, input: MapInput): MembersRead {
  const { place } = input;
  const { problems } = place;
  const value: Record<string, unknown> = {};
  let failed: Set<string> | undefined;
  forEachKey(input, finder, ({ name, field, owner }, key, inner) => {
    if (inner === null && field.takesNull !== true) return;
    const count = problems.length;
    const result = field.read(inner, inside(place, key, owner));
    if (result !== undefined) value[name] = result;
    if (problems.length > count) (failed ??= new Set()).add(name);
  });
  for (const { name, field, owner } of members) {
    if (!('present' in field) || value[name] !== undefined || failed?.has(name) === true) continue;
    const count = problems.length;
    const result = field.absent(inside(place, name, owner));
    if (problems.length > count) (failed ??= new Set()).add(name);
    else value[name] = result;
  }
  return { value, failed: failed ?? none };
}

/** A record that is there even where the user left it out. */
export function presentRecord<S extends Shape>(
  fields: S,
  options: RecordOptions<S>,
): PresentField<Shaped<S>> {
  const inner = record(fields, options);
  return { ...inner, present: true, absent: place => inner.read({}, place) };
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

/** Finds what a key of the input means: by its exact name, else by an alias or another case. */
export interface NameFinder<T> {
  readonly exact: ReadonlyMap<string, T>;
  readonly loose: ReadonlyMap<string, T>;
}

/** A finder of `targets` by their names, and by `aliases` for these names. */
export function nameFinder<T>(
  targets: ReadonlyMap<string, T>,
  aliases: Readonly<Record<string, string>> = {},
): NameFinder<T> {
  const loose = new Map<string, T>();
  for (const [alias, name] of [
    ...Object.entries(aliases),
    ...[...targets.keys()].map(key => [key, key] as const),
  ]) {
    const target = targets.get(name);
    if (target !== undefined) loose.set(alias.toLowerCase(), target);
  }
  return { exact: targets, loose };
}

/** What a key means; undefined when it means nothing. */
export function find<T>(finder: NameFinder<T>, key: string): T | undefined {
  return finder.exact.get(key) ?? finder.loose.get(key.toLowerCase());
}

/** Visits the keys that mean something, in the order of the document, and reports the others. */
export function forEachKey<T>(
  { map, place, expected }: MapInput,
  finder: NameFinder<T>,
  visit: (target: T, key: string, inner: unknown) => void,
): void {
  for (const key of Object.keys(map)) {
    const inner = map[key];
    if (inner === undefined) continue;
    const target = find(finder, key);
    const rival = target === undefined || finder.exact.has(key) ? undefined : rivalOf(key, map, finder);
    if (target === undefined) reportUnknownField(inside(place, key), inner, expected, key);
    else if (rival === undefined) visit(target, key, inner);
    else {
      // The original named the spelling that comes first in byte order, even when it is the right one.
      const named = rival < key ? rival : key;
      reportUnknownField(inside(place, key), inner, `this field once; it is there as ${rival} too`, named);
    }
  }
}

/** The key that counts when several mean the same: the exact one, else the first; undefined if it is `key`. */
function rivalOf<T>(
  key: string,
  map: Readonly<Record<string, unknown>>,
  finder: NameFinder<T>,
): string | undefined {
  const target = find(finder, key);
  const same = Object.keys(map).filter(other => map[other] !== undefined && find(finder, other) === target);
  const counts = same.find(other => finder.exact.has(other)) ?? same[0];
  return counts === key ? undefined : counts;
}

function write(
  members: readonly Member[],
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { name, field } of members) {
    const inner = value[name];
    const shown = inner === undefined ? undefined : field.write(inner);
    if (shown !== undefined) out[name] = shown;
  }
  return out;
}

function schemaOf(fields: Shape): JsonSchema {
  const properties = Object.entries(fields).map(
    ([name, field]) => [name, { ...field.schema(), description: field.expected }] as const,
  );
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}
