import { compareKeys } from './compare-keys.js';
import { yamlNumber } from './number-text.js';
import { formatYamlString } from './yaml-scalar.js';

/** A key longer than this cannot stand before its colon on one line (YAML's rule for simple keys). */
const LONGEST_SIMPLE_KEY = 128;

function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => compareKeys(a, b));
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.values(value).every(each => each === undefined);
}

/** A scalar, or an empty collection: what fits behind `key: ` or `- `. */
function formatInline(value: unknown, column: number, indent: number): string {
  if (Array.isArray(value)) return '[]';
  if (isCollection(value)) return '{}';
  if (typeof value === 'number') return yamlNumber(value);
  if (typeof value === 'string') return formatYamlString(value, { column, indent, isKey: false });
  return String(value);
}

function formatSequence(items: readonly unknown[], indent: number): string {
  const margin = ' '.repeat(indent);
  return items
    .map(item => {
      if (isCollection(item) && !isEmpty(item))
        return `${margin}- ${formatBlock(item, indent + 2).slice(indent + 2)}`;
      return `${margin}- ${formatInline(item, indent + 2, indent + 2)}\n`;
    })
    .join('');
}

function formatEntry(key: string, value: unknown, indent: number): string {
  const margin = ' '.repeat(indent);
  const name = formatYamlString(key, { column: indent, indent, isKey: true });
  const start =
    Buffer.byteLength(name) > LONGEST_SIMPLE_KEY ? `${margin}? ${name}\n${margin}:` : `${margin}${name}:`;
  if (isCollection(value) && !isEmpty(value)) {
    // The dashes of a list stand under its key, not indented.
    return `${start}\n${formatBlock(value, Array.isArray(value) ? indent : indent + 2)}`;
  }
  const column = start.length - start.lastIndexOf('\n');
  return `${start} ${formatInline(value, column, indent + 2)}\n`;
}

function formatBlock(value: object, indent: number): string {
  if (Array.isArray(value)) return formatSequence(value, indent);
  return entriesOf(value)
    .map(([key, member]) => formatEntry(key, member, indent))
    .join('');
}

/** Plain data as YAML, exactly as the original prints it (`calicoctl.md` 5.4): sorted keys, block style. */
export function formatYaml(value: unknown): string {
  return isCollection(value) && !isEmpty(value) ? formatBlock(value, 0) : `${formatInline(value, 0, 0)}\n`;
}
