import { createHash } from 'node:crypto';

/** base64url (no padding) of the hash of `text`: the one hash function for pure code. */
export function digest(algorithm: 'sha1' | 'sha224' | 'sha256', text: string): string {
  return createHash(algorithm).update(text).digest('base64url');
}

/** Lower-case hex of the hash of `text`. */
export function hexDigest(algorithm: 'sha1' | 'sha224' | 'sha256', text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

/**
 * A short, stable, unique name for the kernel: `prefix` + base64url of SHA-256 cut to `length` characters.
 * 12 characters hold 72 bits: enough against chance for any number of objects that fits in a kernel. The
 * only characters are letters, digits, `-` and `_`, which nft, BIRD and the file system all take.
 */
export function shortName(prefix: string, text: string, length = 12): string {
  return prefix + digest('sha256', text).slice(0, length);
}
