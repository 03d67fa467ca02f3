/** A JSON object out of the store; the members are not yet checked. */
export type Members = Readonly<Record<string, unknown>>;

/** Reads a stored JSON object; a SyntaxError when the text is none. An absent value is an empty object. */
export function parseObject(text: string | undefined): Members {
  if (text === undefined) return {};
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new SyntaxError('not a JSON object');
  return value;
}

/** A list out of a stored value; null and absent are empty. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SyntaxError(`${what} is not a list`);
  return value;
}

/** An object out of a stored value. */
export function objectOf(value: unknown, what: string): Members {
  if (!isObject(value)) throw new SyntaxError(`${what} is not an object`);
  return value;
}

/** JSON.stringify leaves undefined members out; so an empty list or map becomes undefined. */
export function unlessEmpty<T extends object>(value: T | undefined): T | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
