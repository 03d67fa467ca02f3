import { bgpPeer } from './bgp-peer.js';
import type { Column, Definition, ResourceShape } from './definition.js';
import type { JsonSchema } from './field.js';
import { hostEndpoint } from './host-endpoint.js';
import { ipPool } from './ip-pool.js';
import { node } from './node.js';
import { policy } from './policy.js';
import { profile } from './profile.js';
import { workloadEndpoint } from './workload-endpoint.js';

/** Every kind there is. */
const definitions = { bgpPeer, hostEndpoint, ipPool, node, policy, profile, workloadEndpoint };

export type Kind = keyof typeof definitions;

type ShapeOf<D> = D extends Definition<infer K, infer M, infer S> ? ResourceShape<K, M, S> : never;

/** A resource of one kind, or of any of several. */
export type ResourceOf<K extends Kind> = { [Each in K]: ShapeOf<(typeof definitions)[Each]> }[K];
export type Resource = ResourceOf<Kind>;
export type Metadata<K extends Kind> = ResourceOf<K>['metadata'];
export type Spec<K extends Kind> = ResourceOf<K>['spec'];

type AnyDefinition = Definition<string, unknown, unknown>;

const byKind: ReadonlyMap<string, AnyDefinition> = new Map(Object.entries<AnyDefinition>(definitions));

/** All kinds, in alphabetical order. */
export const kinds: readonly Kind[] = Object.values(definitions).map(definition => definition.kind);

/** The definition of a kind; undefined for a word that is none. */
export function definitionOf(kind: string): AnyDefinition | undefined {
  return byKind.get(kind);
}

function known(kind: Kind): AnyDefinition {
  return definitions[kind];
}

/** True for the exact spelling of a kind. */
export function isKind(word: string): word is Kind {
  return byKind.has(word);
}

/** The kind that a word on the command line means, in any case: `pol`, `policies`. */
export function kindOfWord(word: string): Kind | undefined {
  const lower = word.toLowerCase();
  return kinds.find(kind => known(kind).words.includes(lower));
}

/** `Policy(name=web)`: unique among all resources (calicoctl.md 3.5). */
export function identify(resource: Pick<Resource, 'kind' | 'metadata'>): string {
  return known(resource.kind).identity(resource.metadata);
}

/** The first identifier that a write needs and the resource lacks, in the order of calicoctl.md 3.5. */
export function missingIdentifier(resource: Pick<Resource, 'kind' | 'metadata'>): string | undefined {
  const metadata: Readonly<Record<string, unknown>> = resource.metadata;
  const names: readonly string[] = known(resource.kind).identifiers(resource.metadata);
  return names.find(name => metadata[name] === undefined || metadata[name] === '');
}

/** The columns of a kind's tables, in the order of the wide table, then those that must be asked for. */
export function columns<K extends Kind>(kind: K): readonly Column<ResourceOf<K>>[] {
  return known(kind).columns;
}

/** The resource as plain JSON, fields in the order of output, empty ones left out (calicoctl.md 5.4). */
export function toJson(resource: Resource): Record<string, unknown> {
  // The body of every definition is a record, which writes a map.
  return known(resource.kind).body.write(resource) as Record<string, unknown>;
}

/** The JSON schema of a kind, made from its definition. */
export function jsonSchema(kind: Kind): JsonSchema {
  return { ...known(kind).body.schema(), description: known(kind).description };
}
