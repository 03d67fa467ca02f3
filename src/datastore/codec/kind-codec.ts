import type { Kind, Metadata, ResourceOf } from '../../resources/index.js';
import type { Layout, Parts } from './layout.js';

/** The values of a resource's keys in the order of `keys`; undefined: that key is absent. */
export type Values = readonly (string | undefined)[];

/** How the resources of one kind lie in the store (resources.md 9). */
export interface KindCodec<K extends Kind = Kind> {
  /** every form of key that belongs to the kind */
  readonly layouts: readonly Layout[];
  /** The identifiers in a key of one of these forms; undefined when the parts cannot be right. */
  metadata(parts: Parts): Metadata<K> | undefined;
  /** The keys of one resource; the first decides whether it exists. */
  keys(metadata: Metadata<K>): readonly [string, ...string[]];
  /** What the keys of all resources with these identifiers begin with; '' and absent ones are open. */
  prefixes(filter: Partial<Metadata<K>>): readonly string[];
  encode(resource: ResourceOf<K>): Values;
  /** Metadata and spec as a user would write them, unchecked; a SyntaxError when a value cannot be read. */
  decode(metadata: Metadata<K>, values: Values): Readonly<Record<'metadata' | 'spec', unknown>>;
}
