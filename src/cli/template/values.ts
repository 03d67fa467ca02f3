import { tableNumber } from '../output/number-text.js';

/** A record with the fields that Go's type has; asking for another one is an error. */
export interface Struct {
  /** Go's name of the type, for messages */
  readonly struct: string;
  readonly fields: ReadonlyMap<string, Value>;
  /** what it looks like in a table, where that differs from its fields */
  readonly text?: string;
}

/**
 * What a template works on. `null` is Go's nil pointer; `undefined` is no value at all, such as that of a key
 * that a map does not have. Integers are bigint, so that 64512 and 1e+06 print as Go prints them.
 */
export type Value =
  | null
  | undefined
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | Struct;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

export function isStruct(value: Value): value is Struct {
  return typeof value === 'object' && value !== null && 'struct' in value;
}

/** Go's name of a value's type, for messages and `%T`. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return 'nil';
  if (isList(value)) return 'list';
  if (isMap(value)) return 'map';
  if (isStruct(value)) return value.struct;
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

/** Keys in byte order, as Go prints and ranges over maps. */
export function sortedEntries(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A value as Go's `%v` prints it. */
export function textOf(value: Value): string {
  if (value === null) return '<nil>';
  if (value === undefined) return '<no value>';
  if (isList(value)) return `[${value.map(textOf).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, member]) => `${key}:${textOf(member)}`)
      .join(' ')}]`;
  if (isStruct(value)) return `{${[...value.fields.values()].map(textOf).join(' ')}}`;
  return typeof value === 'number' ? tableNumber(value) : String(value);
}

/** Whether `if` takes the value for true: anything but its type's zero. */
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  if (isStruct(value)) return true;
  return value !== false && value !== 0 && value !== 0n && value !== '';
}
