import type { Issue } from '../base/index.js';

/**
 * How the original said it, in pieces, so that a front end can print its exact text first (calicoctl.md 4.3, 4.4).
 * Of several problems the original showed some (calicoctl.md 16): the front end chooses.
 */
export type LegacyText =
  /** `error parsing document: <text>`; `of` tells a bad address, port or number from a value of the wrong type */
  | { readonly kind: 'parse'; readonly of: 'value' | 'type'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string; readonly value: string; readonly reason?: string }
  | { readonly kind: 'unknown-field'; readonly name: string }
  | { readonly kind: 'unknown-kind'; readonly text: string };

/** One thing that is wrong in a document. */
export interface Problem extends Issue {
  /** absent: the original has said it with an earlier problem (it names a bad map or list once) */
  readonly legacy?: LegacyText;
  /** which resource of the document, counted from 0 with the lists expanded */
  readonly resource: number;
}

/** Where in a document a value stands, and where to put what is wrong with it. */
export interface Place {
  readonly problems: Problem[];
  readonly resource: number;
  readonly parent: Place | undefined;
  /** key or index in the parent; '' for the document */
  readonly step: string | number;
  /** the field as the original names it in messages: `PolicySpec.order` */
  readonly owner: string;
}

/** The place of a document that is one resource, or of all of them. */
export function documentPlace(problems: Problem[], resource = 0): Place {
  return { problems, resource, parent: undefined, step: '', owner: '' };
}

/** The place of a member of a map or list. `owner` stays that of the parent where none is given. */
export function inside(parent: Place, step: string | number, owner = parent.owner): Place {
  return { problems: parent.problems, resource: parent.resource, parent, step, owner };
}

/** `spec.ingress[0].action`. */
export function pathOf(place: Place): string {
  if (place.parent === undefined) return '';
  const before = pathOf(place.parent);
  if (typeof place.step === 'number') return `${before}[${String(place.step)}]`;
  return before === '' ? place.step : `${before}.${place.step}`;
}

/** The last name of the path, with the index of a list element: `action`, `tags[1]`. */
function fieldName(place: Place): string {
  if (typeof place.step === 'string' || place.parent === undefined) return String(place.step);
  return `${fieldName(place.parent)}[${String(place.step)}]`;
}

/** What is wrong with a value, and how to put it. */
export interface Complaint {
  readonly value: unknown;
  readonly expected: string;
}

/** A map where a text should be, and the like. `goType` is the original's name of the type. */
export function reportType(place: Place, goType: string, { value, expected }: Complaint): undefined {
  const target = place.owner === '' ? `value of type ${goType}` : `field ${place.owner} of type ${goType}`;
  const text = `cannot parse ${jsonTypeOf(value)} '${plainText(value)}' into ${target}`;
  return report(place, { value, expected, legacy: { kind: 'parse', of: 'type', text } });
}

/** A text that is no address, port or number; `text` is what the original said. */
export function reportValue(place: Place, text: string, { value, expected }: Complaint): undefined {
  return report(place, { value, expected, legacy: { kind: 'parse', of: 'value', text } });
}

/** A field that breaks a rule; `name` is the field's own unless the original says otherwise. */
export function reportField(
  place: Place,
  { value, expected, name = fieldName(place), shown = plainText(value), reason }: FieldComplaint,
): undefined {
  const legacy = { kind: 'field' as const, name, value: shown, ...(reason === undefined ? {} : { reason }) };
  return report(place, { value, expected, legacy });
}

/** A complaint, and what the original called the field, the value and the rule where that differs. */
export interface FieldComplaint extends Complaint {
  readonly name?: string;
  readonly shown?: string;
  readonly reason?: string;
}

/** A key that no field has. */
export function reportUnknownField(place: Place, value: unknown, expected: string, name: string): undefined {
  return report(place, { value, expected, legacy: { kind: 'unknown-field', name } });
}

/** Problems after which the rest of a document is not looked at: nobody reads as many. */
const MOST_PROBLEMS = 1_000;

/** Ends the reading of a document that has as many problems as anybody can use; never leaves this folder. */
class TooManyProblems extends Error {}

/** Runs a reader up to its end, or to the problem with which it is enough. */
export function untilEnough(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof TooManyProblems)) throw error;
  }
}

/** Adds a problem; always undefined, so that a reader can return it. */
export function report(place: Place, what: Complaint & { readonly legacy?: LegacyText }): undefined {
  place.problems.push({
    path: pathOf(place),
    value: plainText(what.value),
    expected: what.expected,
    resource: place.resource,
    ...(what.legacy === undefined ? {} : { legacy: what.legacy }),
  });
  if (place.problems.length >= MOST_PROBLEMS) throw new TooManyProblems();
  return undefined;
}

/** What JSON calls the type of a value, in the original's words: `bool`. */
export function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  if (typeof value === 'string' || typeof value === 'number') return typeof value;
  return value === null || value === undefined ? 'null' : 'object';
}

/** A text as it is, anything else as compact JSON with sorted keys and `<`, `>`, `&` escaped. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (isPlain(value)) return String(value);
  try {
    const text = JSON.stringify(value, (_, inner: unknown) => withSortedKeys(inner)) ?? '';
    return text.replaceAll(/[<>&]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`);
  } catch {
    // Too deep for the stack, or a cycle: no value a user would recognise.
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

/** A number or boolean, as YAML and JSON know them. */
export function isPlain(value: unknown): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function withSortedKeys(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
