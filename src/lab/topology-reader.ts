import { nearestWord } from '../base/index.js';
import type { Issue } from '../base/index.js';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The longest value that a message shows. */
const LONGEST = 100;

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

/** `one of a, b`, and which of them was probably meant. */
export function oneOf(words: readonly string[], typed: string): string {
  const meant = nearestWord(typed, words);
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return words.length === 0 ? 'nothing here' : `one of ${words.join(', ')}${hint}`;
}

/** An issue with the value as a message shows it. */
export function issueAt(path: string, value: unknown, expected: string): Issue {
  return { path, value: shown(value), expected };
}

/** Reads the values of a topology file and collects what is wrong, to be told all at once. */
export class TopologyReader {
  readonly issues: Issue[] = [];

  fault(path: string, value: unknown, expected: string): void {
    this.issues.push(issueAt(path, value, expected));
  }

  /** The fields of a map; any other field is a fault. */
  record(path: string, value: unknown, fields: readonly string[]): Record<string, unknown> {
    if (!isRecord(value)) {
      this.fault(path, value, `a map with ${fields.join(', ')}`);
      return {};
    }
    for (const key of Object.keys(value).filter(name => !fields.includes(name))) {
      const place = path === '' ? key : `${path}.${key}`;
      const meant = nearestWord(key, fields);
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      this.fault(place, value[key], `one of the fields ${fields.join(', ')}${hint}`);
    }
    return value;
  }

  list(path: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value;
    if (value !== undefined && value !== null) this.fault(path, value, 'a list');
    return [];
  }

  /** A text; numbers are taken as they print. */
  text(path: string, value: unknown, expected: string): string {
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    this.fault(path, value, expected);
    return '';
  }

  texts(path: string, value: unknown, expected: string): readonly string[] {
    return this.list(path, value).map((item, index) =>
      this.text(`${path}[${String(index)}]`, item, expected),
    );
  }

  /** One of the words; the first of them where nothing stands. */
  choice<T extends string>(path: string, value: unknown, words: readonly [T, ...(readonly T[])]): T {
    if (value === undefined || value === null) return words[0];
    const found = words.find(word => word === value);
    if (found === undefined) this.fault(path, value, oneOf(words, typeof value === 'string' ? value : ''));
    return found ?? words[0];
  }

  flag(path: string, value: unknown): boolean {
    if (value === undefined || value === null) return false;
    const isTrue = value === true || value === 'true';
    if (!isTrue && value !== false && value !== 'false') this.fault(path, value, 'true or false');
    return isTrue;
  }

  labels(path: string, value: unknown): Record<string, string> {
    if (value === undefined || value === null) return {};
    if (!isRecord(value)) {
      this.fault(path, value, 'a map of labels');
      return {};
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, label]) => {
        if (typeof label === 'object') this.fault(`${path}.${key}`, label, 'a text');
        return [key, String(label)];
      }),
    );
  }
}
