import { CniError, cniCode } from './errors.js';

export type Json = Readonly<Record<string, unknown>>;

/** The value as an object; undefined for anything else. */
export function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The value as a list of objects and others; empty for anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What is said about a member of the network configuration that is wrong: code 7. */
export function wrong(path: string, value: unknown, expected: string): CniError {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return new CniError(
    cniCode.badConfiguration,
    `network configuration: ${path} is ${text}; expected ${expected}`,
  );
}

/** An object inside another; undefined when it is absent or null, code 7 when it is something else. */
export function member(json: Json, name: string): Json | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  const object = asObject(value);
  if (object === undefined) throw wrong(name, value, 'an object');
  return object;
}

/** A text, or what stands for an absent one. */
export function textOr(value: unknown, path: string, otherwise: string): string {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'string') throw wrong(path, value, 'a text');
  return value;
}
