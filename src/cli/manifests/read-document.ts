import { CalicoError } from '../../base/index.js';
import { yamlDecoder } from './decode-yaml.js';
import { readInput } from './read-input.js';
import { settleScalars } from './settle-scalars.js';

/**
 * The one document of a YAML or JSON file that is no resource, but may hold some in a list `resources`. Plain
 * scalars outside of these are texts. Throws `invalid`, in one line, for what cannot be read.
 */
export async function readDocument(path: string): Promise<unknown> {
  const fail = (reason: string): never => {
    throw new CalicoError('invalid', `${path}: ${reason}`);
  };
  const text = await readInput({ filename: path, stdin: () => fail('not a file') });
  const decoded = yamlDecoder().decode(text);
  if (!decoded.ok) {
    const line = decoded.line === undefined ? '' : `line ${String(decoded.line + 1)}: `;
    return fail(`yaml: ${line}${decoded.reason}`);
  }
  if (decoded.values.length > 1) return fail('more than one document');
  const [value] = decoded.values;
  if (typeof value !== 'object' || value === null || !('resources' in value)) return settleScalars(value);
  const { resources, ...others } = value;
  return { ...Object(settleScalars(others)), resources: settleScalars(resources) };
}
