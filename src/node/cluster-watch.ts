import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { ClusterChange, ClusterEvent, ResourceClient, SettingName } from '../datastore/index.js';

type ResourceKind = Extract<ClusterChange, { kind: 'resource' }>['resourceKind'];

export interface ClusterWatchParts {
  readonly client: Pick<ResourceClient, 'watch'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The cluster's events without an end: when the watch of the datastore breaks for good, it is begun anew, and
 * what went away meanwhile is told as removed. What is in force stays so in between.
 */
export class ClusterWatch {
  readonly #parts: ClusterWatchParts;
  readonly #resources = new Map<string, ResourceKind>();
  readonly #settings = new Map<string, SettingName>();
  #trouble: string | undefined;
  #inSync = false;
  #listings = 0;

  constructor(parts: ClusterWatchParts) {
    this.#parts = parts;
  }

  /** Why the datastore cannot be watched at the moment. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** How often the whole content was read. */
  get listings(): number {
    return this.#listings;
  }

  /** How many resources of each kind are stored, readable or not. */
  counts(): ReadonlyMap<ResourceKind, number> {
    const counts = new Map<ResourceKind, number>();
    for (const kind of this.#resources.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  /** Ends when the signal is aborted. Call once. */
  async *events(signal: AbortSignal): AsyncGenerator<ClusterEvent, void> {
    const { client, clock, log } = this.#parts;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for await (const event of this.#relisted(client.watch({ signal }))) {
          this.#trouble = undefined;
          failures = 0;
          yield event;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#trouble = messageOf(error);
      }
      if (signal.aborted) return;
      const retryInMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
      log.error('the datastore cannot be watched; what is in force stays', {
        error: this.#trouble ?? 'the watch ended',
        retryInMs,
      });
      await clock.sleep(retryInMs, signal).catch(() => undefined);
    }
  }

  /** From the second watch on, adds what is missing in its listing, and is not "in sync" once more. */
  async *#relisted(events: AsyncIterable<ClusterEvent>): AsyncGenerator<ClusterEvent, void> {
    let listed = this.#inSync ? new Set<string>() : undefined;
    for await (const event of events) {
      for (const change of event.changes) {
        listed?.add(nameOf(change));
        this.#remember(change);
      }
      if (event.inSync) this.#listings += 1;
      if (!event.inSync || !this.#inSync) {
        this.#inSync ||= event.inSync;
        yield event;
        continue;
      }
      const gone = listed === undefined ? [] : this.#missing(listed);
      listed = undefined;
      for (const change of gone) this.#remember(change);
      yield { ...event, inSync: false, changes: [...event.changes, ...gone] };
    }
  }

  #remember(change: ClusterChange): void {
    if (change.kind === 'setting') {
      if (change.value === undefined) this.#settings.delete(nameOf(change));
      else this.#settings.set(nameOf(change), change.setting);
      return;
    }
    const isGone = change.resource === undefined && change.problem === undefined;
    if (isGone) this.#resources.delete(change.id);
    else this.#resources.set(change.id, change.resourceKind);
  }

  #missing(listed: ReadonlySet<string>): readonly ClusterChange[] {
    const resources = [...this.#resources].filter(([id]) => !listed.has(id));
    const settings = [...this.#settings].filter(([name]) => !listed.has(name));
    return [
      ...settings.map(([, setting]) => ({ kind: 'setting', setting, value: undefined }) as const),
      ...resources.map(
        ([id, resourceKind]) => ({ kind: 'resource', resourceKind, id, resource: undefined }) as const,
      ),
    ];
  }
}

/** Unique among settings and resources: only the name of a setting begins with a bracket. */
function nameOf(change: ClusterChange): string {
  if (change.kind === 'resource') return change.id;
  const { component, node, name } = change.setting;
  return JSON.stringify([component, node ?? null, name]);
}
