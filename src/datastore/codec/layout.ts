/** The parts of a key that vary, by the names that its layout gives them. */
export type Parts = Readonly<Record<string, string>>;

/** One form of key: `/calico/v1/host/:node/endpoint/:name`. */
export interface Layout {
  /** The key with these parts; all of them must be given. */
  key(parts: Parts): string;
  /** The parts of a key that has this form; the key comes split at its slashes. */
  match(segments: readonly string[]): Parts | undefined;
  /** What all keys with these parts begin with, as long as the given parts allow; the empty part is none. */
  prefix(parts: Parts): string;
}

/** Reads a pattern of fixed segments and, with a colon, named ones. */
export function layout(pattern: string): Layout {
  const segments = pattern
    .split('/')
    .map(text => ({ text, name: text.startsWith(':') ? text.slice(1) : '' }));
  return {
    key: parts =>
      segments.map(({ text, name }) => (name === '' ? text : escapePart(parts[name] ?? ''))).join('/'),
    match: given => {
      if (given.length !== segments.length) return undefined;
      const found: Record<string, string> = {};
      for (const [index, { text, name }] of segments.entries()) {
        const segment = given[index] ?? '';
        if (name === '' ? segment !== text : segment === '') return undefined;
        if (name !== '') found[name] = unescapePart(segment);
      }
      return found;
    },
    prefix: parts => {
      const open = segments.findIndex(({ name }) => name !== '' && (parts[name] ?? '') === '');
      const known = open < 0 ? segments : segments.slice(0, open);
      const text = known.map(each => (each.name === '' ? each.text : escapePart(parts[each.name] ?? '')));
      return open < 0 ? text.join('/') : `${text.join('/')}/`;
    },
  };
}

/** A name as one segment of a key: a slash in it must not open another level. */
export function escapePart(part: string): string {
  return /[%/]/.test(part) ? part.replaceAll('%', '%25').replaceAll('/', '%2f') : part;
}

export function unescapePart(segment: string): string {
  return segment.includes('%')
    ? segment.replaceAll(/%25|%2f/gi, code => (code === '%25' ? '%' : '/'))
    : segment;
}
