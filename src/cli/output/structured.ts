import { formatJson } from './json.js';
import { formatYaml } from './yaml.js';

export type StructuredFormat = 'json' | 'yaml';

/** True for the formats that show plain data whole. */
export function isStructured(format: string): format is StructuredFormat {
  return format === 'json' || format === 'yaml';
}

/** Plain data in the format that was asked for; members that are undefined are left out. */
export function formatStructured(format: StructuredFormat, value: unknown): string {
  return format === 'json' ? formatJson(value) : formatYaml(value);
}
