import { CalicoError } from '../base/index.js';
import { yamlDecoder } from './manifests/decode-yaml.js';
import { PlainScalar } from './manifests/plain-scalar.js';
import { readInput } from './manifests/read-input.js';
import { settingNames } from './settings.js';
import type { Settings } from './settings.js';

type Json = Readonly<Record<string, unknown>>;

function fail(text: string): never {
  throw new CalicoError('invalid', text);
}

function asMap(value: unknown, where: string): Json {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof PlainScalar))
    return value as Json;
  return fail(`error parsing document: ${where} must be a map`);
}

function asText(value: unknown, where: string): string {
  if (value === null || value === undefined) return '';
  if (value instanceof PlainScalar) return value.source;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return fail(`error parsing document: ${where} must be a text`);
}

function refuseUnknown(map: Json, known: readonly string[]): void {
  const unknown = Object.keys(map).filter(key => !known.includes(key));
  if (unknown.length === 0) return;
  const what =
    unknown.length === 1
      ? 'field in document is not recognized or is in the wrong location'
      : 'fields in document are not recognized or are in the wrong location';
  fail(`error parsing document: ${what}: ${unknown.toSorted().join(', ')}`);
}

/** Reads a connection configuration file (`calicoctl.md` 2.2); throws `invalid` with the original's words. */
export async function readConfigFile(path: string): Promise<Settings> {
  const text = await readInput({ filename: path, stdin: () => fail(`open ${path}: not a file`) });
  const decoded = yamlDecoder().decode(text);
  if (!decoded.ok) {
    const line = decoded.line === undefined ? '' : `line ${String(decoded.line + 1)}: `;
    return fail(`error parsing document: yaml: ${line}${decoded.reason} (${path})`);
  }
  const document = asMap(decoded.values[0], 'the document');
  refuseUnknown(document, ['apiVersion', 'kind', 'metadata', 'spec']);
  const version = asText(document['apiVersion'], 'apiVersion');
  if (version !== 'v1') fail(`invalid config file: unknown APIVersion '${version}'`);
  const kind = asText(document['kind'], 'kind');
  if (kind !== 'calicoApiConfig') fail(`invalid config file: expected kind 'calicoApiConfig', got '${kind}'`);
  const spec = asMap(document['spec'], 'spec');
  refuseUnknown(spec, [...Object.keys(settingNames), 'k8sToken']);
  const settings = Object.keys(settingNames).map(field => [field, asText(spec[field], `spec.${field}`)]);
  return Object.fromEntries(settings.filter(([, value]) => value !== ''));
}
