import { nearestWord } from '../base/index.js';
import type { JsonSchema } from './field.js';

/** Suggestions for one unknown field. */
const MOST_SUGGESTIONS = 3;
const DEEPEST_GUESS = 3;

function asSchema(value: unknown): JsonSchema {
  // A schema is plain JSON; what is not there is undefined.
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {};
}

/** The fields of a map, or of each element of a list of maps. */
function membersOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const inner = schema['type'] === 'array' ? asSchema(schema['items']) : schema;
  return Object.entries(asSchema(inner['properties'])).map(([name, member]) => [name, asSchema(member)]);
}

/** Every field below, as the names that lead to it. */
function pathsIn(schema: JsonSchema, before: readonly string[] = []): readonly (readonly string[])[] {
  return membersOf(schema).flatMap(([name, member]) => {
    const path = [...before, name];
    return [path, ...pathsIn(member, path)];
  });
}

function sharedSteps(path: readonly string[], other: readonly string[]): number {
  const end = path.findIndex((step, index) => step !== other[index]);
  return end < 0 ? path.length : end;
}

/** Fields of that name, or failing that nearly of that name, elsewhere: those that share most of the path, and of these the shallowest. */
function elsewhere(schema: JsonSchema, names: readonly string[]): readonly (readonly string[])[] {
  const paths = pathsIn(schema);
  const called = (word: string): readonly (readonly string[])[] =>
    paths.filter(path => path.at(-1)?.toLowerCase() === word.toLowerCase());
  const word = names.at(-1) ?? '';
  const exact = called(word);
  // Deep below there are so many names that some look alike by chance.
  const shallow = paths.filter(path => path.length <= DEEPEST_GUESS);
  const near = nearestWord(word, new Set(shallow.map(path => path.at(-1) ?? '')));
  const same = exact.length > 0 || near === undefined ? exact : called(near);
  const most = Math.max(...same.map(path => sharedSteps(path, names)));
  const close = same.filter(path => sharedSteps(path, names) === most);
  const least = Math.min(...close.map(path => path.length));
  return close.filter(path => path.length === least);
}

/**
 * The path of the field that an unknown one, at `path` of a resource, probably stands for: a neighbour with
 * nearly that name, else the places where a field of that name is known. Undefined where nothing is near.
 */
export function suggestField(schema: JsonSchema, path: string): string | undefined {
  const steps = path.split('.');
  const names = steps.map(step => step.replace(/\[\d+\]$/, ''));
  let parent: JsonSchema | undefined = schema;
  for (const name of names.slice(0, -1)) {
    const lower = name.toLowerCase();
    parent = membersOf(parent ?? {}).find(([key]) => key.toLowerCase() === lower)?.[1];
  }
  const siblings = membersOf(parent ?? {}).map(([name]) => name);
  const last = names.at(-1) ?? '';
  if (siblings.some(name => name.toLowerCase() === last.toLowerCase())) return undefined;
  const sibling = nearestWord(last, siblings);
  if (sibling !== undefined) return [...steps.slice(0, -1), sibling].join('.');
  const found = elsewhere(schema, names).slice(0, MOST_SUGGESTIONS);
  // The steps that both have in common keep the numbers of the list elements.
  const written = found.map(each =>
    each.map((name, index) => (index < sharedSteps(each, names) ? (steps[index] ?? name) : name)).join('.'),
  );
  return written.length === 0 ? undefined : written.join(' or ');
}
