import { isKind, jsonSchema } from '../../resources/index.js';
import { PlainScalar } from './plain-scalar.js';

type Json = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Json {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PlainScalar)
  );
}

function mapIn(schema: Json | undefined, key: string): Json | undefined {
  const inner = schema?.[key];
  return isMap(inner) ? inner : undefined;
}

/** True when a field takes texts only; what no schema describes is shown to the user and keeps its text too. */
function takesTextOnly(schema: Json | undefined): boolean {
  return schema === undefined || schema['type'] === 'string' || 'enum' in schema;
}

function memberSchema(schema: Json | undefined, key: string): Json | undefined {
  const properties = mapIn(schema, 'properties');
  const lower = key.toLowerCase();
  const name = Object.keys(properties ?? {}).find(each => each === key || each.toLowerCase() === lower);
  return name === undefined ? mapIn(schema, 'additionalProperties') : mapIn(properties, name);
}

function settle(value: unknown, schema: Json | undefined): unknown {
  if (value instanceof PlainScalar) return takesTextOnly(schema) ? value.source : value.value;
  if (Array.isArray(value)) {
    const items = mapIn(schema, 'items');
    return value.map(item => settle(item, items));
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, settle(inner, memberSchema(schema, key))]),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Gives each plain scalar of a decoded document the form that its field takes: the text as it was written for
 * texts, the number or boolean of YAML 1.1 for all else.
 */
export function settleScalars(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(settleScalars);
  if (!isMap(document)) return settle(document, undefined);
  const kind = textOf(document['kind']);
  if (isKind(kind)) return settle(document, jsonSchema(kind));
  const { items, ...others } = document;
  const settled = settle(others, undefined);
  if (!isMap(settled) || !('items' in document)) return settled;
  return { ...settled, items: Array.isArray(items) ? items.map(settleScalars) : settle(items, undefined) };
}
