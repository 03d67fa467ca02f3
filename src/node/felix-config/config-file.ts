import { readFile } from 'node:fs/promises';
import { CalicoError, messageOf } from '../../base/index.js';

/** What a configuration file says, and which of its lines say nothing. */
export interface FileContent {
  readonly values: readonly (readonly [name: string, value: string])[];
  readonly problems: readonly string[];
}

/** Reads `Name = value` lines; sections and comments (`#`, `;`) are skipped, a duplicate name counts last. */
export function parseConfigFile(text: string): FileContent {
  const values: (readonly [string, string])[] = [];
  const problems: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || /^[#;[]/.test(line)) continue;
    const [, name, value] = /^([A-Za-z0-9_]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      problems.push(`line ${String(index + 1)} is not of the form Name = value`);
      continue;
    }
    if (values.some(([other]) => other.toLowerCase() === name.toLowerCase())) {
      problems.push(`line ${String(index + 1)}: ${name} stands there twice, the last one counts`);
    }
    values.push([name, value]);
  }
  return { values, problems };
}

/** As parseConfigFile; a missing file is an empty one, an unreadable one a CalicoError. */
export async function readConfigFile(path: string): Promise<FileContent> {
  try {
    return parseConfigFile(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { values: [], problems: [] };
    throw new CalicoError('unavailable', `the configuration file cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
