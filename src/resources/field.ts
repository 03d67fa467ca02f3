import { reportField } from './problem.js';
import type { Place } from './problem.js';

/** A JSON schema, as far as resources need it. */
export type JsonSchema = { readonly [key: string]: unknown };

/**
 * How one field is read, written and explained. Reading happens once, at the border; what comes out has the
 * canonical form and is never checked again.
 */
export interface Field<T> {
  /** what is right, as the end of "expected …" */
  readonly expected: string;
  /** the original's name of the type, for its messages */
  readonly goType: string;
  /** made when it is asked for: most runs read no schema */
  schema(): JsonSchema;
  /** null is a value for this field, not the lack of one */
  readonly takesNull?: boolean;
  /** undefined: wrong, and then a problem was reported, or empty */
  read(value: unknown, place: Place): T | undefined;
  /** the JSON that is shown; undefined leaves the field out */
  write(value: T): unknown;
}

/** A field that a resource has even where the user left it out. */
export interface PresentField<T> extends Field<T> {
  readonly present: true;
  /** the value when the user gave none; undefined when that is a mistake, which was reported */
  absent(place: Place): T | undefined;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A field that counts as absent when it is an empty text. */
export function optional<T>(field: Field<T>): Field<T> {
  return { ...field, read: (value, place) => (value === '' ? undefined : field.read(value, place)) };
}

/** A field with a value of its own where the user gave none. It is shown even when it is empty. */
export function withDefault<T>(field: Field<T>, value: T): PresentField<T> {
  return { ...field, present: true, absent: () => value };
}

/** A part of the identity: '' until it is known, because only the place where it is needed can complain. */
export function identifier<T extends string>(
  field: Field<T>,
  { showEmpty = false }: { readonly showEmpty?: boolean } = {},
): PresentField<T | ''> {
  return {
    ...field,
    present: true,
    absent: () => '',
    read: (value, place) => (value === '' ? '' : field.read(value, place)),
    write: value => (value === '' && !showEmpty ? undefined : value),
  };
}

/** A field without which the resource is wrong. */
export function required<T>(field: Field<T>): PresentField<T> {
  return {
    ...field,
    present: true,
    absent: place => reportField(place, { value: '', expected: field.expected }),
  };
}
