import { parseResource } from '../../resources/index.js';
import type { Kind, Metadata, Resource, ResourceOf } from '../../resources/index.js';
import { bgpPeerCodec } from './bgp-peer.js';
import { hostEndpointCodec } from './host-endpoint.js';
import { ipPoolCodec } from './ip-pool.js';
import type { KindCodec, Values } from './kind-codec.js';
import { nodeCodec } from './node.js';
import { policyCodec } from './policy.js';
import { profileCodec } from './profile.js';
import { workloadEndpointCodec } from './workload-endpoint.js';

/** One codec per kind: a new kind does not compile until it is here. */
const codecs: { readonly [K in Kind]: KindCodec<K> } = {
  workloadEndpoint: workloadEndpointCodec,
  policy: policyCodec,
  profile: profileCodec,
  node: nodeCodec,
  ipPool: ipPoolCodec,
  bgpPeer: bgpPeerCodec,
  hostEndpoint: hostEndpointCodec,
};

/** The codec of a kind, for code that does not know which. */
export function codecOf(kind: Kind): KindCodec {
  return codecs[kind];
}

/** What a key is a part of. */
export interface Owner {
  readonly kind: Kind;
  /** the identifiers only */
  readonly metadata: Metadata<Kind>;
  /** all keys of the resource; the first decides whether it exists */
  readonly keys: readonly [string, ...string[]];
  /** the place of the key among them */
  readonly index: number;
}

/** The resource that a key is a part of; undefined for settings and for what we do not know. */
export function ownerOf(key: string): Owner | undefined {
  const segments = key.split('/');
  for (const [kind, codec] of Object.entries<KindCodec>(codecs)) {
    const owner = ownerIn(codec, key, segments);
    // The keys of `codecs` are kinds.
    if (owner !== undefined) return { kind: kind as Kind, ...owner };
  }
  return undefined;
}

/** As `ownerOf`, for keys that may belong to one kind only. */
export function ownerIn(
  codec: KindCodec,
  key: string,
  segments: readonly string[] = key.split('/'),
): Omit<Owner, 'kind'> | undefined {
  for (const each of codec.layouts) {
    const parts = each.match(segments);
    const metadata = parts === undefined ? undefined : codec.metadata(parts);
    if (metadata === undefined) continue;
    const keys = codec.keys(metadata);
    const index = keys.indexOf(key);
    return index < 0 ? undefined : { metadata, keys, index };
  }
  return undefined;
}

export type Decoded<K extends Kind> =
  | { readonly ok: true; readonly resource: ResourceOf<K> }
  | { readonly ok: false; readonly problem: string };

/** Reads a resource out of the values of its keys; `problem` says in one line why it cannot be read. */
export function decodeResource<K extends Kind>(kind: K, metadata: Metadata<K>, values: Values): Decoded<K> {
  try {
    const parsed = parseResource({ apiVersion: 'v1', kind, ...codecs[kind].decode(metadata, values) });
    // parseResource makes the kind that it is told.
    if (parsed.ok) return { ok: true, resource: parsed.resource as ResourceOf<K> };
    const [first] = parsed.problems;
    const { path, value, expected } = first ?? { path: '', value: '', expected: 'another value' };
    return { ok: false, problem: `${path}: '${value}', expected ${expected}` };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** The keys of a resource with the value of each; undefined: the key has to be absent. */
export function encodeResource(resource: Resource): readonly (readonly [string, string | undefined])[] {
  const codec = codecOf(resource.kind);
  const values = codec.encode(resource);
  return codec.keys(resource.metadata).map((key, index) => [key, values[index]]);
}
