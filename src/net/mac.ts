/**
 * Reads a hardware address of 6, 8 or 20 bytes: `aa:bb:…`, `aa-bb-…` or `aabb.ccdd.…`. Canonical text has
 * lower case and colons. Undefined when it is none.
 */
export function canonicalMac(text: string): string | undefined {
  const lower = text.toLowerCase();
  const bytes =
    /^[0-9a-f]{2}([:-][0-9a-f]{2})+$/.test(lower) && !(lower.includes(':') && lower.includes('-'))
      ? lower.split(/[:-]/)
      : /^[0-9a-f]{4}(\.[0-9a-f]{4})+$/.test(lower)
        ? (lower.replaceAll('.', '').match(/../g) ?? [])
        : [];
  return [6, 8, 20].includes(bytes.length) ? bytes.join(':') : undefined;
}
