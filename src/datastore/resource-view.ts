import { digest } from '../base/index.js';
import { identify } from '../resources/index.js';
import { decodeResource, ownerOf } from './codec/codecs.js';
import type { Owner } from './codec/codecs.js';
import { meansReady, readyKey } from './codec/ready.js';
import { settingOf } from './codec/settings.js';
import { closedPolicy } from './codec/policy.js';
import { isInactive } from './codec/workload-endpoint.js';
import type { ClusterChange, ResourceChange, SettingName } from './resource-client.js';
import type { Entry, WatchChange } from './store.js';

/** Where agents find what they act on. Addresses in use and the status of endpoints are not among it. */
export const watchedPrefixes = ['/calico/bgp/v1/', '/calico/v1/'] as const;

interface Touched {
  readonly owner: Owner;
  readonly id: string;
  /** of the key that changed last; all there is when the resource has one key */
  readonly value: string | undefined;
  /** the key that decides whether the resource exists has changed */
  readonly decisive: boolean;
}

/**
 * Turns changes of keys into changes of resources and settings. It keeps what it needs to put a resource of
 * several keys together, and of all else only a fingerprint, to see after a new listing what is different.
 */
export class ResourceView {
  /** for each known key: the value for parts of larger resources, a fingerprint for all else */
  readonly #known = new Map<string, string>();

  #isReady = true;

  /** False while the store says that it may not be used. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The store has been listed anew: what is different from what was told. */
  replace(entries: readonly Entry[]): readonly ClusterChange[] {
    const present = new Map(entries.map(({ key, value }) => [key, value]));
    const gone = [...this.#known.keys()].filter(key => !present.has(key));
    return this.#update([...present, ...gone.map(key => [key, undefined] as const)]);
  }

  apply(changes: readonly WatchChange[]): readonly ClusterChange[] {
    const last = new Map<string, string | undefined>();
    for (const change of changes) {
      if (change.kind === 'put') last.set(change.entry.key, change.entry.value);
      else last.set(change.key, undefined);
    }
    return this.#update([...last]);
  }

  #update(updates: readonly (readonly [string, string | undefined])[]): readonly ClusterChange[] {
    const settings: ClusterChange[] = [];
    // A resource of several keys is told once, when all its keys are known.
    const touched = new Map<string, Touched>();
    for (const [key, value] of updates) {
      if (key === readyKey && this.#remember(key, value, 1)) this.#isReady = meansReady(value);
      const owner = ownerOf(key);
      const setting = owner === undefined ? settingOf(key) : undefined;
      if (setting !== undefined && this.#remember(key, value, 1))
        settings.push(settingChange(setting, value));
      if (owner === undefined) continue;
      if (!this.#remember(key, value, owner.keys.length)) continue;
      const id = identify(owner);
      const decisive = owner.index === 0 || touched.get(id)?.decisive === true;
      touched.set(id, { owner, id, value, decisive });
    }
    return [...settings, ...[...touched.values()].flatMap(each => this.#assemble(each))];
  }

  #assemble({ owner, id, value, decisive }: Touched): readonly ClusterChange[] {
    const { keys } = owner;
    const values = keys.length === 1 ? [value] : keys.map(key => this.#known.get(key));
    // Parts of something that does not exist were never told of.
    if (values[0] === undefined && !decisive) return [];
    return [{ kind: 'resource', resourceKind: owner.kind, id, ...readResource(owner, values) }];
  }

  /** False when the key has this value already. */
  #remember(key: string, value: string | undefined, parts: number): boolean {
    if (value === undefined) return this.#known.delete(key);
    const kept = parts === 1 ? digest('sha1', value) : value;
    if (this.#known.get(key) === kept) return false;
    this.#known.set(key, kept);
    return true;
  }
}

function settingChange(setting: SettingName, value: string | undefined): ClusterChange {
  return { kind: 'setting', setting, value };
}

function readResource(
  { kind, metadata }: Owner,
  values: readonly (string | undefined)[],
): Omit<ResourceChange, 'kind' | 'resourceKind' | 'id'> {
  const [first] = values;
  if (first === undefined) return { resource: undefined };
  const decoded = decodeResource(kind, metadata, values);
  if (!decoded.ok) {
    const { problem } = decoded;
    const safe = kind === 'policy' ? closedPolicy(first) : undefined;
    const closed = safe === undefined ? undefined : decodeResource(kind, metadata, [safe]);
    return closed?.ok === true
      ? { resource: undefined, problem, closed: closed.resource }
      : { resource: undefined, problem };
  }
  if (kind === 'workloadEndpoint' && isInactive(first)) {
    return { resource: undefined, problem: 'its state is inactive: it gets no traffic', switchedOff: true };
  }
  return { resource: decoded.resource };
}
