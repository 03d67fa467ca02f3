import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import type {
  DataplaneUpdate,
  EndpointId,
  LocalEndpoint,
  ModelChange,
  PolicyGraph,
} from '../policy/index.js';
import type { Measurements } from './measurements.js';
import type { Programmed } from './programmed.js';
import { Quarantine } from './quarantine.js';

/** What brings updates into the kernel; resolves when they are there. */
export interface Dataplane {
  apply(updates: readonly DataplaneUpdate[]): Promise<void>;
}

export interface PolicySyncParts {
  readonly graph: PolicyGraph;
  /** in this order: policy is in force before a route lets traffic come */
  readonly dataplanes: readonly { readonly name: string; readonly dataplane: Dataplane }[];
  readonly programmed: Programmed;
  readonly measurements: Measurements;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A change that takes longer to reach the kernel is a problem to be told. */
const STUCK_SECONDS = 5;

/**
 * Takes events of the cluster to the kernel. Until the datastore's whole content is known nothing is sent
 * down, so that an incomplete picture never takes a working endpoint away.
 */
export class PolicySync {
  readonly #parts: PolicySyncParts;
  #early: ModelChange[] = [];
  #inSync = false;
  #revision = 0;
  readonly #quarantine: Quarantine;
  /** what of the last batch did not reach the kernel */
  #broken: string | undefined;
  #underWaySince: number | undefined;
  readonly #locals = new Map<EndpointId, LocalEndpoint>();

  constructor(parts: PolicySyncParts) {
    this.#parts = parts;
    this.#quarantine = new Quarantine(parts.log);
  }

  /** True once everything that existed at the start is in the kernel. */
  get ready(): boolean {
    return this.#inSync;
  }

  /** The datastore revision that the kernel corresponds to. */
  get revision(): number {
    return this.#revision;
  }

  /** The endpoints of this host with the policies that decide over them. */
  get locals(): ReadonlyMap<EndpointId, LocalEndpoint> {
    return this.#locals;
  }

  /** What is not in force as it is stored, or did not reach the kernel: the object, and the reason. */
  get problems(): readonly string[] {
    const { clock } = this.#parts;
    const since = this.#underWaySince;
    const seconds = since === undefined ? 0 : Math.round((clock.monotonic() - since) / 1000);
    const stuck =
      seconds < STUCK_SECONDS ? [] : [`the kernel has not taken a change for ${String(seconds)} s`];
    const broken = this.#broken === undefined ? [] : [this.#broken];
    return [...broken, ...stuck, ...this.#quarantine.problems];
  }

  async handle(event: ClusterEvent): Promise<void> {
    const changes = event.changes.flatMap(change => {
      const admitted = change.kind === 'resource' ? this.#quarantine.admit(change) : undefined;
      return admitted === undefined ? [] : [admitted];
    });
    if (!this.#inSync) {
      this.#early.push(...changes);
      if (!event.inSync) return;
    }
    const work = this.#inSync ? changes : this.#early;
    this.#early = [];
    await this.#bringDown(work);
    this.#inSync = true;
    this.#revision = Math.max(this.#revision, event.revision);
    this.#announce(work, event.revision);
  }

  /**
   * Whatever goes wrong in one part is logged and the others get their updates: an endpoint that policy did
   * not take is closed in the kernel, so that a route to it opens nothing.
   */
  async #bringDown(work: readonly ModelChange[]): Promise<void> {
    const { graph, dataplanes, measurements, clock, log } = this.#parts;
    this.#broken = undefined;
    this.#underWaySince = clock.monotonic();
    const elapsed = (): number => (clock.monotonic() - (this.#underWaySince ?? 0)) / 1000;
    const attempt = async <T>(what: string, step: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await step();
      } catch (error) {
        this.#broken = `${what}: ${messageOf(error)}`;
        measurements.failures++;
        log.error('a change did not reach the kernel', { of: what, error: messageOf(error) });
        return undefined;
      }
    };
    const updates = await attempt('calculation', () => graph.apply(work));
    if (updates !== undefined) {
      const seconds = elapsed();
      measurements.calculated(work, updates, seconds);
      this.#noteLocals(updates);
      for (const { name, dataplane } of dataplanes) {
        await attempt(name, async () => await dataplane.apply(updates));
      }
      measurements.applied(elapsed() - seconds);
    }
    this.#underWaySince = undefined;
  }

  #noteLocals(updates: readonly DataplaneUpdate[]): void {
    for (const update of updates) {
      if (update.kind === 'endpoint-updated') this.#locals.set(update.id, update.local);
      else if (update.kind === 'endpoint-removed') this.#locals.delete(update.id);
    }
  }

  #announce(changes: readonly ModelChange[], revision: number): void {
    for (const change of changes) {
      if (change.kind !== 'endpoint') continue;
      if (change.endpoint === undefined) this.#parts.programmed.forget(change.id);
      // Who waits for an endpoint must not hear of it before its policy is in force.
      else if (this.#broken === undefined) this.#parts.programmed.reached(change.id, revision);
    }
  }
}
