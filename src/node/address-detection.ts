import { parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';

/** How the host's own address is found (variables `IP_AUTODETECTION_METHOD`, `IP6_AUTODETECTION_METHOD`). */
export type Detection =
  | { readonly kind: 'first-found' }
  /** the address that the kernel would use towards this address or host name */
  | { readonly kind: 'can-reach'; readonly target: string }
  /** on the first interface that one of the patterns matches */
  | { readonly kind: 'interface' | 'skip-interface'; readonly patterns: readonly RegExp[] }
  /** the first inside one of the networks */
  | { readonly kind: 'cidr'; readonly cidrs: readonly Cidr[] };

/** What `parseDetection` accepts, for messages. */
export const DETECTION_EXPECTED =
  'first-found, can-reach=<address or host>, interface=<regex>[,…], skip-interface=<regex>[,…] or cidr=<cidr>[,…]';

/** Reads a method; undefined when it is none of them. */
export function parseDetection(text: string): Detection | undefined {
  if (text === 'first-found') return { kind: 'first-found' };
  const [, kind = '', argument = ''] = /^([a-z-]+)=(.+)$/.exec(text) ?? [];
  switch (kind) {
    case 'can-reach':
      return /^[A-Za-z0-9:._-]+$/.test(argument) ? { kind, target: argument } : undefined;
    case 'interface':
    case 'skip-interface': {
      const patterns = listOf(argument, pattern);
      return patterns === undefined ? undefined : { kind, patterns };
    }
    case 'cidr': {
      const cidrs = listOf(argument, parseCidr);
      return cidrs === undefined ? undefined : { kind, cidrs };
    }
    default:
      return undefined;
  }
}

/** All parts of a list with commas; undefined when one of them cannot be read. */
function listOf<T>(text: string, parse: (part: string) => T | undefined): readonly T[] | undefined {
  const parts = text.split(',').map(part => parse(part.trim()));
  const read = parts.filter(part => part !== undefined);
  return read.length === parts.length ? read : undefined;
}

function pattern(text: string): RegExp | undefined {
  try {
    return text === '' ? undefined : new RegExp(text, 'u');
  } catch {
    return undefined;
  }
}
