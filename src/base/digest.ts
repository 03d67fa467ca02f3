type Algorithm = 'sha1' | 'sha224' | 'sha256';

/** Hashes when it is first needed: an import would cost every short command the start of OpenSSL. */
function hash(algorithm: Algorithm, text: string, encoding: 'base64url' | 'hex'): string {
  return process.getBuiltinModule('node:crypto').hash(algorithm, text, encoding);
}

/** base64url (no padding) of the hash of `text`: the one hash function for pure code. */
export function digest(algorithm: Algorithm, text: string): string {
  return hash(algorithm, text, 'base64url');
}

/** Lower-case hex of the hash of `text`. */
export function hexDigest(algorithm: Algorithm, text: string): string {
  return hash(algorithm, text, 'hex');
}

/**
 * A short, stable, unique name for the kernel: `prefix` + base64url of SHA-256 cut to `length` characters.
 * 12 characters hold 72 bits: enough against chance for any number of objects that fits in a kernel. The
 * only characters are letters, digits, `-` and `_`, which nft, BIRD and the file system all take.
 */
export function shortName(prefix: string, text: string, length = 12): string {
  return prefix + digest('sha256', text).slice(0, length);
}
