import { identify } from '../resources/index.js';
import type { Kind, Metadata, ResourceOf } from '../resources/index.js';
import type { Logger } from '../base/index.js';
import { codecOf, decodeResource, ownerIn } from './codec/codecs.js';
import { unescapePart } from './codec/layout.js';
import { nodeCodec } from './codec/node.js';
import type { Entry, Store } from './store.js';

interface Group {
  readonly metadata: Metadata<Kind>;
  readonly values: (string | undefined)[];
}

/** Reads the resources of a kind that match the filter, in the order of calicoctl.md 5.2. */
export async function listResources<K extends Kind>(
  store: Store,
  query: { readonly kind: K; readonly filter: Partial<Metadata<K>>; readonly logger: Logger },
): Promise<readonly ResourceOf<K>[]> {
  const { kind, filter, logger } = query;
  const { entries } = await store.list(codecOf(kind).prefixes(filter));
  const groups = groupByResource(kind, entries);
  const found: { readonly order: Buffer; readonly resource: ResourceOf<K> }[] = [];
  for (const [key, { metadata, values }] of groups) {
    // A node is also what only has endpoints or settings; all else exists by its first key.
    if (values[0] === undefined && kind !== 'node') continue;
    if (!matches(metadata, filter)) continue;
    const decoded = decodeResource(kind, metadata, values);
    if (decoded.ok) found.push({ order: levelOrder(key), resource: decoded.resource });
    else
      logger.warn('stored resource cannot be read', {
        id: identify({ kind, metadata }),
        problem: decoded.problem,
      });
  }
  return found.sort((a, b) => Buffer.compare(a.order, b.order)).map(({ resource }) => resource);
}

/** The values by resource; a resource is known by its first key. */
function groupByResource(kind: Kind, entries: readonly Entry[]): ReadonlyMap<string, Group> {
  const codec = codecOf(kind);
  const groups = new Map<string, Group>();
  for (const { key, value } of entries) {
    const segments = key.split('/');
    const owner = ownerIn(codec, key, segments) ?? (kind === 'node' ? namedNode(segments) : undefined);
    if (owner === undefined) continue;
    const { metadata, index } = owner;
    const [first] = owner.keys;
    const group = groups.get(first) ?? { metadata, values: [] };
    if (index !== undefined) group.values[index] = value;
    groups.set(first, group);
  }
  return groups;
}

interface NamedNode {
  readonly metadata: Metadata<'node'>;
  readonly keys: readonly [string, ...string[]];
  /** the key is none of the node's own */
  readonly index: undefined;
}

/** The node that any key below `/calico/v1/host/` names. */
function namedNode(segments: readonly string[]): NamedNode | undefined {
  const [, , version, host, name = ''] = segments;
  if (version !== 'v1' || host !== 'host' || name === '') return undefined;
  const metadata = { name: unescapePart(name) };
  return { metadata, keys: nodeCodec.keys(metadata), index: undefined };
}

/** Only identifiers count, and only those that are given. */
function matches(metadata: Readonly<Metadata<Kind>>, filter: Partial<Metadata<Kind>>): boolean {
  const wanted: Readonly<Record<string, unknown>> = filter;
  const given: Readonly<Record<string, unknown>> = metadata;
  return identifierNames.every(name => (wanted[name] ?? '') === '' || wanted[name] === given[name]);
}

const identifierNames = ['name', 'node', 'orchestrator', 'workload', 'cidr', 'scope', 'peerIP'] as const;

/** Bytes whose order is that of the key level by level: nothing sorts before the end of a level. */
function levelOrder(key: string): Buffer {
  return Buffer.from(key.replaceAll('/', '\0'));
}
