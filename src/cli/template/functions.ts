import { sprintf } from './printf.js';
import { isList, isMap, isStruct, isTrue, textOf, typeName } from './values.js';
import type { Value } from './values.js';

/** What the functions may ask beyond their arguments. */
export interface TemplateContext {
  /** answers `config "asnumber"` */
  readonly config: (name: string) => string | undefined;
}

/** Thrown for arguments that a function does not take; the caller adds the place. */
export class FunctionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FunctionError';
  }
}

type TemplateFunction = (args: readonly Value[], context: TemplateContext) => Value;

function fail(message: string): never {
  throw new FunctionError(message);
}

function exactly(count: number, args: readonly Value[]): readonly Value[] {
  if (args.length !== count) fail(`wrong number of args: want ${String(count)} got ${String(args.length)}`);
  return args;
}

function atLeast(count: number, args: readonly Value[]): readonly Value[] {
  if (args.length < count)
    fail(`wrong number of args: want at least ${String(count)} got ${String(args.length)}`);
  return args;
}

/** Go's Sprint: a space between two values that are both no strings. */
function sprint(args: readonly Value[]): string {
  return args
    .map((value, place) => {
      const before = args[place - 1];
      const apart = place > 0 && typeof before !== 'string' && typeof value !== 'string';
      return `${apart ? ' ' : ''}${printed(value)}`;
    })
    .join('');
}

function printed(value: Value): string {
  return textOf(value ?? null);
}

/** The single text argument, or all of them printed. */
function plain(args: readonly Value[]): string {
  const [only] = args;
  return args.length === 1 && typeof only === 'string' ? only : sprint(args);
}

/** Go's html also writes a quote as `&#34;` and a NUL as the replacement character. */
function html(args: readonly Value[]): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\ufffd',
  };
  // oxlint-disable-next-line no-control-regex
  return plain(args).replace(/[&<>"'\u0000]/g, char => names[char] ?? char);
}

function js(args: readonly Value[]): string {
  return plain(args).replace(/[\\'"<>&=]|\p{Cc}/gu, char => {
    if (char === '\\' || char === "'" || char === '"') return `\\${char}`;
    return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** As a part of a URL's query: a space is a plus sign. */
function urlquery(args: readonly Value[]): string {
  return new URLSearchParams([['', plain(args).toWellFormed()]]).toString().slice(1).replaceAll('*', '%2A');
}

function length(args: readonly Value[]): bigint {
  const [value] = exactly(1, args);
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  if (isList(value)) return BigInt(value.length);
  return isMap(value) ? BigInt(value.size) : fail(`len of type ${typeName(value)}`);
}

function index(args: readonly Value[]): Value {
  const [first, ...keys] = atLeast(1, args);
  let value = first;
  for (const key of keys) {
    if (isMap(value)) {
      if (typeof key !== 'string') fail(`value has type ${typeName(key)}; should be string`);
      // The zero of a map's strings.
      value = value.get(key) ?? '';
      continue;
    }
    if (typeof key !== 'bigint') fail(`cannot index slice/array with type ${typeName(key)}`);
    const place = Number(key);
    if (isList(value)) {
      if (place < 0 || place >= value.length) fail(`index out of range: ${String(place)}`);
      value = value[place];
    } else if (typeof value === 'string') {
      const byte = Buffer.from(value)[place];
      value = byte === undefined ? fail(`index out of range: ${String(place)}`) : BigInt(byte);
    } else {
      fail(
        value === null || value === undefined
          ? 'index of nil'
          : `can't index item of type ${typeName(value)}`,
      );
    }
  }
  return value;
}

type Scalar = bigint | number | string | boolean;

function scalar(value: Value): Scalar {
  if (isList(value) || isMap(value) || isStruct(value) || value === null || value === undefined)
    return fail('invalid type for comparison');
  return value;
}

function kindOf(value: Scalar): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function isEqual(a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  const [left, right] = [scalar(a), scalar(b)];
  if (kindOf(left) !== kindOf(right)) fail('incompatible types for comparison');
  // Loosely, so that an integer equals a float of the same value.
  // oxlint-disable-next-line eqeqeq
  return left == right;
}

function isLess(a: Value, b: Value): boolean {
  const [left, right] = [scalar(a), scalar(b)];
  if (kindOf(left) !== kindOf(right)) return fail('incompatible types for comparison');
  if (typeof left === 'boolean' || typeof right === 'boolean') return fail('invalid type for comparison');
  if (typeof left === 'string' || typeof right === 'string')
    return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right))) < 0;
  return left < right;
}

function comparison(holds: (a: Value, b: Value) => boolean): TemplateFunction {
  return args => {
    const [a, b] = exactly(2, args);
    return holds(a, b);
  };
}

/** The members as tables show them, with a separator between. */
function join(args: readonly Value[]): string {
  const [list, separator] = exactly(2, args);
  if (typeof separator !== 'string') return fail('wrong type for separator; expected string');
  if (list === null || list === undefined) return '';
  if (!isList(list)) return fail(`wrong type for value; expected list; got ${typeName(list)}`);
  return list
    .map(member => (isStruct(member) ? (member.text ?? textOf(member)) : textOf(member)))
    .join(separator);
}

const functions = {
  and: args => atLeast(1, args).find(value => !isTrue(value)) ?? args.findLast(() => true),
  or: args => atLeast(1, args).find(isTrue) ?? args.findLast(() => true),
  not: args => !isTrue(exactly(1, args)[0]),
  len: length,
  index,
  print: sprint,
  println: args => `${args.map(printed).join(' ')}\n`,
  printf: args => {
    const [format, ...values] = atLeast(1, args);
    return typeof format === 'string'
      ? sprintf(format, values)
      : fail('wrong type for format; expected string');
  },
  html,
  js,
  urlquery,
  call: args => fail(`non-function of type ${typeName(atLeast(1, args)[0])}`),
  eq: args => {
    const [first, ...others] = atLeast(2, args);
    return others.some(other => isEqual(first, other));
  },
  ne: comparison((a, b) => !isEqual(a, b)),
  lt: comparison(isLess),
  le: comparison((a, b) => isLess(a, b) || isEqual(a, b)),
  gt: comparison((a, b) => isLess(b, a)),
  ge: comparison((a, b) => isLess(b, a) || isEqual(a, b)),
  join,
  config: (args, { config }) => {
    const [name] = exactly(1, args);
    const value = typeof name === 'string' ? config(name.toLowerCase()) : undefined;
    return value ?? fail(`unhandled config type: ${textOf(name)}`);
  },
} satisfies Readonly<Record<string, TemplateFunction>>;

const byName: ReadonlyMap<string, TemplateFunction> = new Map(Object.entries<TemplateFunction>(functions));

/** True for the name of a function that templates may call. */
export function isFunctionName(name: string): boolean {
  return byName.has(name);
}

/** Calls a function that is known; a FunctionError says which argument it does not take. */
export function callFunction(name: string, args: readonly Value[], context: TemplateContext): Value {
  const found = byName.get(name);
  return found === undefined ? fail(`function "${name}" not defined`) : found(args, context);
}
