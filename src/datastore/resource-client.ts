import type { Kind, Metadata, Resource, ResourceOf } from '../resources/index.js';

/**
 * Reads and writes resources, whatever store is below. Nothing above this interface knows about keys. Every
 * write is atomic: all of it happens, or none.
 */
export interface ResourceClient {
  /** Resources of a kind in the order of `calicoctl.md` 5.2; `filter` names identifiers that must be equal. */
  list<K extends Kind>(kind: K, filter?: Partial<Metadata<K>>): Promise<readonly ResourceOf<K>[]>;
  /** `not-found`/`already-exists`/`conflict`/`invalid` with the texts of `calicoctl.md` 3.5. */
  write(writes: readonly ResourceWrite[]): Promise<WriteOutcome>;
  /** Fails as `write` would, as things stand; writes nothing. */
  check(writes: readonly ResourceWrite[]): Promise<void>;
  /** What exists, then every change of it. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<ClusterEvent>;
  /** Raw settings: `felix` is the agent's, `bgp` the BGP side's; without a node the global one. */
  getSetting(setting: SettingName): Promise<string | undefined>;
  /** undefined removes it */
  setSetting(setting: SettingName, value: string | undefined): Promise<void>;
  /** Several at once, in one revision. */
  setSettings(changes: readonly SettingWrite[]): Promise<void>;
}

export interface SettingName {
  readonly component: 'felix' | 'bgp';
  readonly node?: string;
  readonly name: string;
}

export interface SettingWrite {
  readonly setting: SettingName;
  /** undefined removes it */
  readonly value: string | undefined;
}

export type Verb = 'create' | 'apply' | 'replace' | 'delete';

export interface ResourceWrite {
  readonly verb: Verb;
  /** for `delete` only the identifiers matter */
  readonly resource: Resource;
  /** `create` of what exists, `delete` of what does not: counts as done and changes nothing */
  readonly tolerant?: boolean;
}

export interface WriteOutcome {
  /** the revision at which all of it became visible */
  readonly revision: number;
}

/** One batch of changes. The first event of a watch holds all that exists. */
export interface ClusterEvent {
  readonly revision: number;
  /** true exactly once: this batch and those before it are the whole present content */
  readonly inSync: boolean;
  readonly changes: readonly ClusterChange[];
  /** while the datastore says that it may not be used; what is in force shall stay so */
  readonly ready?: false;
}

export type ClusterChange =
  | ResourceChange
  | { readonly kind: 'setting'; readonly setting: SettingName; readonly value: string | undefined };

export interface ResourceChange {
  readonly kind: 'resource';
  readonly resourceKind: Kind;
  /** unique and stable among all resources: `Policy(name=web)` */
  readonly id: string;
  /** undefined: it is gone, or what is stored cannot be read, and then `problem` says why */
  readonly resource: Resource | undefined;
  readonly problem?: string;
  /** with a problem: its owner has switched it off, so it counts as gone; nothing is wrong with it */
  readonly switchedOff?: true;
  /**
   * Of a policy that cannot be read although its selector can: the same policy with nothing but denials, for
   * whoever knows no readable version.
   */
  readonly closed?: Resource;
}
