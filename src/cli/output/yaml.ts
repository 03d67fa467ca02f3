import { compareKeys } from './compare-keys.js';
import { yamlNumber } from './number-text.js';
import { formatYamlString } from './yaml-scalar.js';

/** A key longer than this cannot stand before its colon on one line (YAML's rule for simple keys). */
const LONGEST_SIMPLE_KEY = 128;
/** Shapes that are remembered; resources have a few dozen, labels may have any number. */
const MOST_SHAPES = 1_000;

function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isEmpty(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (value[key as keyof typeof value] !== undefined) return false;
  return true;
}

/** A key as it is printed, and whether it is too long for one line. */
interface PrintedKey {
  readonly key: string;
  readonly text: string;
  readonly isLong: boolean;
}

/** Maps with the same keys in the same order have the same keys in the output. */
interface Shape {
  readonly keys: readonly string[];
  readonly printed: readonly PrintedKey[];
}

/** Formats one value; remembers how the keys of a map are sorted and written, for most maps are alike. */
class YamlFormatter {
  readonly #shapes = new Map<string, Shape>();

  document(value: unknown): string {
    return isCollection(value) && !isEmpty(value) ? this.#block(value, 0) : `${inline(value, 0, 0)}\n`;
  }

  #block(value: object, indent: number): string {
    if (Array.isArray(value)) return this.#sequence(value, indent);
    const margin = ' '.repeat(indent);
    let text = '';
    for (const printed of this.#printedKeys(value)) {
      const member: unknown = value[printed.key as keyof typeof value];
      if (member !== undefined) text += this.#entry(printed, member, margin);
    }
    return text;
  }

  #sequence(items: readonly unknown[], indent: number): string {
    const margin = ' '.repeat(indent);
    let text = '';
    for (const item of items) {
      text +=
        isCollection(item) && !isEmpty(item)
          ? `${margin}- ${this.#block(item, indent + 2).slice(indent + 2)}`
          : `${margin}- ${inline(item, indent + 2, indent + 2)}\n`;
    }
    return text;
  }

  #entry({ text, isLong }: PrintedKey, value: unknown, margin: string): string {
    const start = isLong ? `${margin}? ${text}\n${margin}:` : `${margin}${text}:`;
    const indent = margin.length;
    if (isCollection(value) && !isEmpty(value)) {
      // The dashes of a list stand under its key, not indented.
      return `${start}\n${this.#block(value, Array.isArray(value) ? indent : indent + 2)}`;
    }
    const column = (isLong ? indent + 1 : start.length) + 1;
    return `${start} ${inline(value, column, indent + 2)}\n`;
  }

  #printedKeys(value: object): readonly PrintedKey[] {
    const keys = Object.keys(value);
    const id = keys.join(' ');
    const known = this.#shapes.get(id);
    // Two lists of keys may be joined to the same text.
    if (known?.keys.length === keys.length && known.keys.every((key, index) => key === keys[index]))
      return known.printed;
    const printed = keys.toSorted(compareKeys).map(key => {
      const text = formatYamlString(key, { column: 0, indent: 0, isKey: true });
      return { key, text, isLong: Buffer.byteLength(text) > LONGEST_SIMPLE_KEY };
    });
    if (this.#shapes.size < MOST_SHAPES) this.#shapes.set(id, { keys, printed });
    return printed;
  }
}

/** A scalar, or an empty collection: what fits behind `key: ` or `- `. */
function inline(value: unknown, column: number, indent: number): string {
  if (typeof value === 'string') return formatYamlString(value, { column, indent, isKey: false });
  if (typeof value === 'number') return yamlNumber(value);
  if (Array.isArray(value)) return '[]';
  return isCollection(value) ? '{}' : String(value);
}

/** Plain data as YAML, exactly as the original prints it (`calicoctl.md` 5.4): sorted keys, block style. */
export function formatYaml(value: unknown): string {
  return new YamlFormatter().document(value);
}
