import { CalicoError, isCalicoError, nearestWord } from '../base/index.js';
import { jsonTypeOf, plainText } from '../resources/index.js';
import { yamlDecoder } from './manifests/decode-yaml.js';
import { PlainScalar } from './manifests/plain-scalar.js';
import { readInput } from './manifests/read-input.js';
import { settingNames } from './settings.js';
import type { Settings } from './settings.js';

type Json = Readonly<Record<string, unknown>>;

/** The original's names of the types, for its messages. */
const DOCUMENT = 'CalicoAPIConfig';
const SPEC = 'CalicoAPIConfigSpec';

function fail(text: string): never {
  throw new CalicoError('invalid', text);
}

function asMap(value: unknown, target: string): Json {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof PlainScalar))
    return value as Json;
  return refuseType(value, target);
}

function asText(value: unknown, target: string): string {
  if (value === null || value === undefined) return '';
  if (value instanceof PlainScalar) return value.source;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return refuseType(value, `${target} of type string`);
}

function refuseType(value: unknown, target: string): never {
  const shown = value instanceof PlainScalar ? value.value : value;
  return fail(
    `error parsing document: cannot parse ${jsonTypeOf(shown)} '${plainText(shown)}' into ${target}`,
  );
}

/** The members by their right names, which match in any case; a name that is unknown, or there twice, is refused. */
function namedMembers(map: Json, known: readonly string[]): Json {
  const named = new Map<string, unknown>();
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(map)) {
    const name = known.find(each => each.toLowerCase() === key.toLowerCase());
    if (name === undefined || named.has(name)) unknown.push(key);
    else named.set(name, value);
  }
  if (unknown.length === 0) return Object.fromEntries(named);
  const [first = ''] = unknown;
  const fields = unknown.length === 1 ? 'field in document is' : 'fields in document are';
  const meant = unknown.length === 1 ? nearestWord(first, known) : undefined;
  const hint = meant === undefined || named.has(meant) ? '' : `; did you mean ${meant}?`;
  return fail(
    `error parsing document: ${fields} not recognized or ${unknown.length === 1 ? 'is' : 'are'} in the wrong location: ${unknown.toSorted().join(', ')}${hint}`,
  );
}

function settingsIn(text: string): Settings {
  const decoded = yamlDecoder().decode(text);
  if (!decoded.ok) {
    const line = decoded.line === undefined ? '' : `line ${String(decoded.line + 1)}: `;
    return fail(`error parsing document: yaml: ${line}${decoded.reason}`);
  }
  const document = namedMembers(asMap(decoded.values[0], `value of type api.${DOCUMENT}`), [
    'apiVersion',
    'kind',
    'metadata',
    'spec',
  ]);
  const version = asText(document['apiVersion'], 'field TypeMetadata.apiVersion');
  if (version !== 'v1') fail(`invalid config file: unknown APIVersion '${version}'`);
  const kind = asText(document['kind'], 'field TypeMetadata.kind');
  if (kind !== 'calicoApiConfig') fail(`invalid config file: expected kind 'calicoApiConfig', got '${kind}'`);
  const spec = namedMembers(asMap(document['spec'], `field ${DOCUMENT}.spec of type api.${SPEC}`), [
    ...Object.keys(settingNames),
    'k8sToken',
  ]);
  const value = (field: string): string => asText(spec[field], `field ${SPEC}.${field}`);
  const settings = Object.keys(settingNames).map(field => [field, value(field)] as const);
  const token = value('k8sAPIToken') || value('k8sToken');
  return Object.fromEntries([...settings, ['k8sAPIToken', token] as const].filter(([, each]) => each !== ''));
}

/**
 * Reads a connection configuration file (`calicoctl.md` 2.2); throws `invalid` with the original's words, and
 * behind them the file.
 */
export async function readConfigFile(path: string): Promise<Settings> {
  const text = await readInput({ filename: path, stdin: () => fail(`open ${path}: not a file`) });
  try {
    return settingsIn(text);
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    throw new CalicoError('invalid', `${error.message} (${path})`, { cause: error });
  }
}
