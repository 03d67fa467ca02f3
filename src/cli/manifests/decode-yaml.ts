import {
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  FAILSAFE_SCHEMA,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  parseEvents,
  YAMLException,
} from 'js-yaml';
import type { Schema } from 'js-yaml';
import { messageOf } from '../../base/index.js';
import { isMeasurable } from './measure.js';
import { PlainScalar, plainBoolean, plainNumber } from './plain-scalar.js';

export type Decoded =
  | {
      readonly ok: true;
      /** one value for each YAML document in the text; scalars may be PlainScalars */
      readonly values: readonly unknown[];
      readonly hasPlainScalars: boolean;
    }
  /** `line` counts from 0 in the text that was given; it and what is on it are absent where no line is to blame */
  | { readonly ok: false; readonly reason: string; readonly line?: number; readonly excerpt?: string };

/** Aliases in one document: far more than a person writes, far fewer than hurt. */
const MOST_ALIASES = 10_000;
const EVENT_ALIAS = 5;
/** Every node of a document has at least one of these before or behind it. */
const NODE_MARK = /[\n,[{:]|[-?] /g;
/** Some 20,000 resources in one document; a file may have any number of documents. */
const MOST_NODE_MARKS = 1_000_000;

function keyText(key: unknown): string | undefined {
  if (key instanceof PlainScalar) return key.source;
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean'
    ? String(key)
    : undefined;
}

/** A map of texts; the text of an unquoted key counts, not what YAML makes of it. */
const textKeyMap = defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
  create: () => ({}),
  addPair: (carrier, key, value) => {
    if (key === null) {
      return `Unsupported map key of type: %!s(<nil>), key: <nil>, value: ${JSON.stringify(value) ?? 'null'}`;
    }
    const name = keyText(key);
    if (name === undefined) return 'a map key must be a text';
    if (name === '__proto__')
      Object.defineProperty(carrier, name, { value, enumerable: true, configurable: true });
    else carrier[name] = value;
    return '';
  },
  has: (carrier, key) => Object.hasOwn(carrier, keyText(key) ?? ''),
  keys: result => Object.keys(result),
  get: (result, key) => result[keyText(key) ?? ''],
  identify: () => false,
});

interface Counter {
  count: number;
}

/** The scalars of YAML 1.1 as the original's parser knew them; what loses its text is counted. */
function schemaCounting(plain: Counter): Schema {
  const keepText = <T extends number | boolean>(value: T | undefined, source: string) => {
    if (value === undefined) return NOT_RESOLVED;
    if (String(value) === source) return value;
    plain.count++;
    return new PlainScalar(value, source);
  };
  const scalar = (
    name: string,
    firstChars: string | undefined,
    parse: (source: string) => number | boolean | undefined,
  ) =>
    defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
      implicit: firstChars !== undefined,
      implicitFirstChars: Array.from(firstChars ?? ''),
      resolve: source => keepText(parse(source), source),
      identify: () => false,
    });
  return FAILSAFE_SCHEMA.withTags(
    textKeyMap,
    nullYaml11Tag,
    mergeTag,
    scalar('bool', 'yYnNtTfFoO', plainBoolean),
    scalar('float', '+-.0123456789', plainNumber),
    scalar('int', undefined, plainNumber),
  );
}

export interface YamlDecoder {
  /** Decodes text that holds one or more YAML documents. Never throws for bad input. */
  decode(text: string): Decoded;
}

/** True when the text cannot hold more nodes than a small machine has memory for, whatever they are. */
function isBearable(text: string): boolean {
  let marks = 0;
  const mark = new RegExp(NODE_MARK);
  while (mark.exec(text) !== null) if (++marks > MOST_NODE_MARKS) return false;
  return true;
}

/** What is shown of a line that is wrong. */
const LONGEST_LINE = 80;

/** The library's reason, in other words where nobody would understand it. */
function reasonOf(reason: string, line: string): string {
  // It has several for a TAB, depending on what it could have been.
  if (/^ *\t/.test(line)) return 'a TAB at the start of the line; indent with spaces';
  if (reason.startsWith('unknown scalar tag !<!')) return 'a text that starts with ! needs quotes around it';
  return reason;
}

/** The line that is to blame, for the message. */
function lineAt(text: string, number: number): string {
  return text.split('\n', number + 1)[number] ?? '';
}

/** A decoder for many documents: making the schema costs more than reading a small one. */
export function yamlDecoder(): YamlDecoder {
  const plain = { count: 0 };
  const schema = schemaCounting(plain);

  const decode = (text: string): Decoded => {
    if (text.length > MOST_NODE_MARKS && !isBearable(text)) {
      return { ok: false, reason: 'document is too large; divide it into documents with --- between them' };
    }
    plain.count = 0;
    const events = parseEvents(text, {});
    // Of a key that is given twice the last one counts, as in YAML 1.1.
    const values = constructFromEvents(events, {
      source: text,
      schema,
      json: true,
      maxAliases: MOST_ALIASES,
    });
    const hasAliases = events.some(({ type }) => type === EVENT_ALIAS);
    if (hasAliases && !values.every(value => isMeasurable(value))) {
      return { ok: false, reason: 'document contains excessive aliasing' };
    }
    return { ok: true, values, hasPlainScalars: plain.count > 0 };
  };

  return {
    decode: text => {
      try {
        return decode(text);
      } catch (error) {
        if (!(error instanceof YAMLException)) return { ok: false, reason: messageOf(error) };
        const { mark } = error;
        if (mark === undefined) return { ok: false, reason: error.reason };
        const source = lineAt(text, mark.line);
        const shown = source.trim().slice(0, LONGEST_LINE);
        const excerpt = /\p{Cc}/u.test(shown) ? '' : shown;
        return { ok: false, reason: reasonOf(error.reason, source), line: mark.line, excerpt };
      }
    },
  };
}
