import { nearestWord } from '../base/index.js';
import {
  documentPlace,
  inside,
  pathOf,
  plainText,
  report,
  reportField,
  reportType,
  reportUnknownField,
  untilEnough,
} from './problem.js';
import type { Place, Problem } from './problem.js';
import { asMap, find, forEachKey, nameFinder } from './record.js';
import { definitionOf, isKind, kindOfWord, kinds } from './registry.js';
import type { Resource } from './registry.js';
import { suggestField } from './suggest-field.js';

export type ParsedDocument =
  | { readonly ok: true; readonly resources: readonly Resource[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type ParsedResource =
  | { readonly ok: true; readonly resource: Resource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const META = 'unversioned.TypeMetadata';
const A_RESOURCE = 'a map with apiVersion, kind, metadata and spec';

/** Reads a decoded document: a resource, an array of resources, or one of the `…List` kinds. */
export function parseDocument(value: unknown): ParsedDocument {
  const problems: Problem[] = [];
  const read: Readings = [];
  const root = documentPlace(problems);
  untilEnough(() => {
    if (Array.isArray(value)) {
      for (const [index, member] of value.entries()) readMember(member, inside(root, index), read);
    } else if (typeof value === 'object' || value === undefined) readMember(value ?? {}, root, read);
    else reportType(root, `[]${META}`, { value, expected: `${A_RESOURCE}, or a list of such maps` });
  });
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, resources: read.filter(resource => resource !== undefined) };
}

/** Reads one resource; lists are not taken. */
export function parseResource(value: unknown): ParsedResource {
  const problems: Problem[] = [];
  let resource: Resource | undefined;
  untilEnough(() => {
    resource = readResource(value ?? {}, documentPlace(problems));
  });
  return resource === undefined ? { ok: false, problems } : { ok: true, resource };
}

/** One for each resource of the document so far; undefined for a bad one. */
type Readings = (Resource | undefined)[];

/** Reads a resource, or all of a list kind. */
function readMember(value: unknown, place: Place, read: Readings): void {
  const map = value === null ? {} : asMap(value);
  const listed = map === undefined ? undefined : listedKind(map);
  if (map !== undefined && listed !== undefined) {
    readList(map, listed, { place, read });
    return;
  }
  read.push(readResource(value, { ...place, resource: read.length }));
}

const LIST_FIELDS = ['apiVersion', 'kind', 'metadata', 'items'] as const;
const listFields = nameFinder(new Map(LIST_FIELDS.map(name => [name as string, name])));

/** `kind` or `apiVersion` of a map, in any spelling. */
function fieldOf(map: Readonly<Record<string, unknown>>, name: 'kind' | 'apiVersion'): unknown {
  const key = name in map ? name : Object.keys(map).find(each => find(listFields, each) === name);
  return key === undefined ? undefined : map[key];
}

type AnyDefinition = NonNullable<ReturnType<typeof definitionOf>>;

/** What the items of a list kind are; undefined when the map is no list. */
function listedKind(map: Readonly<Record<string, unknown>>): AnyDefinition | undefined {
  const kind = fieldOf(map, 'kind');
  if (typeof kind !== 'string' || !kind.endsWith('List') || fieldOf(map, 'apiVersion') !== 'v1')
    return undefined;
  return definitionOf(kind.slice(0, -'List'.length));
}

function readList(
  map: Readonly<Record<string, unknown>>,
  { kind, goName }: AnyDefinition,
  { place, read }: { readonly place: Place; readonly read: Readings },
): void {
  const expected = `one of ${LIST_FIELDS.join(', ')}`;
  forEachKey({ map, place, expected }, listFields, (name, key, inner) => {
    if (inner === null) return;
    if (name === 'metadata') readListMetadata(inner, inside(place, key));
    if (name !== 'items') return;
    const items = inside(place, key, `${goName}List.items`);
    if (!Array.isArray(inner)) {
      reportType(items, `[]api.${goName}`, { value: inner, expected: `a list of ${kind} resources` });
      return;
    }
    for (const [index, item] of inner.entries()) {
      read.push(readItem(item, kind, inside({ ...items, resource: read.length }, index)));
    }
  });
}

function readListMetadata(value: unknown, place: Place): void {
  const map = asMap(value);
  const expected = 'an empty map';
  if (map === undefined) reportType(place, 'unversioned.ListMetadata', { value, expected });
  for (const [key, inner] of Object.entries(map ?? {})) {
    reportUnknownField(inside(place, key), inner, expected, key);
  }
}

/** An item of a list kind must say itself what it is, and be what the list says. */
function readItem(value: unknown, kind: string, place: Place): Resource | undefined {
  const map = value === null ? {} : asMap(value);
  if (map === undefined) return reportType(place, META, { value, expected: A_RESOURCE });
  const before = place.problems.length;
  for (const [name, right] of [
    ['kind', kind],
    ['apiVersion', 'v1'],
  ] as const) {
    const given = fieldOf(map, name);
    if (given !== right) reportField(inside(place, name), { value: given, expected: right });
  }
  return place.problems.length > before ? undefined : readResource(map, place);
}

/** Reads a resource of a known kind, and adds to each unknown field which one was probably meant. */
function readBody(
  definition: AnyDefinition,
  map: Readonly<Record<string, unknown>>,
  place: Place,
): Resource | undefined {
  const { problems } = place;
  const before = problems.length;
  // The definition that the kind names has read it: it is a resource of that kind.
  const resource = definition.body.read(map, place) as Resource | undefined;
  for (let index = before; index < problems.length; index++) {
    const problem = problems[index];
    if (problem?.legacy?.kind !== 'unknown-field') continue;
    const prefix = pathOf(place);
    const path = problem.path.slice(prefix === '' ? 0 : prefix.length + 1);
    const meant = suggestField(definition.body.schema(), path);
    if (meant !== undefined)
      problems[index] = { ...problem, expected: `${problem.expected}; did you mean ${meant}?` };
  }
  return resource;
}

/** The kind that a word other than a kind probably stands for. */
function kindHint(word: unknown): string {
  if (typeof word !== 'string' || word === '') return '';
  const meant = kindOfWord(word) ?? nearestWord(word, [...kinds, ...kinds.map(kind => `${kind}List`)]);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

function readResource(value: unknown, place: Place): Resource | undefined {
  const map = value === null ? {} : asMap(value);
  if (map === undefined) return reportType(place, META, { value, expected: A_RESOURCE });
  const kind = fieldOf(map, 'kind') ?? '';
  const version = fieldOf(map, 'apiVersion') ?? '';
  for (const part of [kind, version]) {
    if (typeof part !== 'object') continue;
    return reportType({ ...place, owner: '' }, `[]${META}`, {
      value: map,
      expected: 'kind and apiVersion as texts',
    });
  }
  const definition = version === 'v1' && typeof kind === 'string' ? definitionOf(kind) : undefined;
  if (definition !== undefined) return readBody(definition, map, place);
  const text = `Unknown resource type (${plainText(kind)}) and/or version (${plainText(version)})`;
  const wrongKind = typeof kind !== 'string' || !isKind(kind.replace(/List$/, ''));
  return report(inside(place, wrongKind ? 'kind' : 'apiVersion'), {
    value: wrongKind ? kind : version,
    expected: wrongKind ? `${kinds.join(', ')}, or one of these and List${kindHint(kind)}` : 'v1',
    legacy: { kind: 'unknown-kind', text },
  });
}
