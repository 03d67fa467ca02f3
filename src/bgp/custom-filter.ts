import type { Issue } from '../base/index.js';
import type { IpVersion } from '../net/index.js';
import type { BgpState } from './config.js';

const SETTING = /^custom_filters\/v([46])\/(.+)$/;

/** The operator's own filter statements in the order of their keys; those that would leave the filter are reported. */
export function customFiltersFrom(
  settings: ReadonlyMap<string, string>,
  issues: Issue[],
): BgpState['customFilters'] {
  const filters: { readonly [Version in IpVersion]: string[] } = { 4: [], 6: [] };
  const names = [...settings.keys()].sort();
  for (const name of names) {
    const match = SETTING.exec(name);
    const text = settings.get(name)?.trim() ?? '';
    if (match === null || text === '') continue;
    if (staysInside(text)) filters[match[1] === '4' ? 4 : 6].push(text);
    else {
      const expected = 'BIRD filter statements with balanced braces, without include and block comments';
      issues.push({ path: name, value: text, expected });
    }
  }
  return filters;
}

/** True when the statements cannot end the filter that they are put into, nor read other files. */
export function staysInside(text: string): boolean {
  const code = text.replace(/"[^"\n]*"/g, '""').replace(/#[^\n]*/g, '');
  if (code.includes('/*') || /\binclude\b/.test(code) || /[^\t\n\x20-\x7e]/.test(code)) return false;
  if (code.replaceAll('""', '').includes('"')) return false;
  let depth = 0;
  for (const character of code) {
    if (character === '{') depth++;
    if (character === '}' && --depth < 0) return false;
  }
  return depth === 0;
}
