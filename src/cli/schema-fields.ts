import { jsonSchema } from '../resources/index.js';
import type { Kind } from '../resources/index.js';

/** A field as `explain` and the reference pages show it, made from the JSON schema of its kind. */
export interface SchemaField {
  readonly name: string;
  /** `text`, `list of number or text`, `map` */
  readonly type: string;
  /** what is right, as the end of "expected …"; of a kind, a sentence about it */
  readonly description: string;
  /** the fields of a map, or of each element of a list of maps */
  readonly fields: readonly SchemaField[];
}

type Schema = Readonly<Record<string, unknown>>;

function asSchema(value: unknown): Schema {
  // A schema is plain JSON; what is not there is undefined.
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'number',
  number: 'number',
  boolean: 'true or false',
  object: 'map',
};

function typeOf(schema: Schema): string {
  const { type, items } = schema;
  if (type === 'array') return `list of ${typeOf(asSchema(items))}`;
  const names = Array.isArray(type) ? type : [type];
  return names.map(name => typeWords[String(name)] ?? 'text').join(' or ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Fields that are the same in every resource. */
const EVERYWHERE = new Set(['kind', 'apiVersion']);

function fieldOf(name: string, schema: Schema): SchemaField {
  const inner = schema['type'] === 'array' ? asSchema(schema['items']) : schema;
  const members = Object.entries(asSchema(inner['properties']));
  return {
    name,
    type: typeOf(schema),
    description: textOf(schema['description']),
    fields: members
      .filter(([key]) => !EVERYWHERE.has(key))
      .map(([key, member]) => fieldOf(key, asSchema(member))),
  };
}

/** A kind with all its fields. */
export function schemaOf(kind: Kind): SchemaField {
  return fieldOf(kind, jsonSchema(kind));
}
