import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { ObjectProblem } from '../dataplane/index.js';
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
  /** what of them is not there after all, or not as it should be */
  readonly problems: readonly ObjectProblem[];
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
  #wasWhole = false;
  #revision = 0;
  readonly #quarantine: Quarantine;
  /** by part: why its last batch did not reach the kernel */
  readonly #broken = new Map<string, string>();
  /** by dataplane: updates that it has still to be given */
  readonly #owed = new Map<string, readonly DataplaneUpdate[]>();
  /** endpoints of which nobody has heard yet, as of which revision */
  readonly #unannounced = new Map<EndpointId, number>();
  #underWaySince: number | undefined;
  readonly #locals = new Map<EndpointId, LocalEndpoint>();

  constructor(parts: PolicySyncParts) {
    this.#parts = parts;
    this.#quarantine = new Quarantine(parts.log);
  }

  /** True once everything that existed at the start was tried. */
  get started(): boolean {
    return this.#inSync;
  }

  /** True once everything that existed at the start was in the kernel, no part of it missing. */
  get ready(): boolean {
    this.#wasWhole ||= this.#inSync && this.#missing().length === 0;
    return this.#wasWhole;
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
  get problems(): readonly ObjectProblem[] {
    const { clock } = this.#parts;
    const since = this.#underWaySince;
    const seconds = since === undefined ? 0 : Math.round((clock.monotonic() - since) / 1000);
    const problem = `has not taken a change for ${String(seconds)} s`;
    const stuck = seconds < STUCK_SECONDS ? [] : [{ object: 'the kernel', problem }];
    return [...stuck, ...this.#missing(), ...this.#quarantine.problems];
  }

  /** What should be in the kernel and is not. */
  #missing(): readonly ObjectProblem[] {
    const broken = [...this.#broken].map(([object, problem]) => ({ object, problem }));
    return [...broken, ...this.#parts.dataplanes.flatMap(({ dataplane }) => dataplane.problems)];
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
    const { dataplanes, measurements, clock } = this.#parts;
    this.#underWaySince = clock.monotonic();
    const elapsed = (): number => (clock.monotonic() - (this.#underWaySince ?? 0)) / 1000;
    const updates = this.#calculate(work);
    if (updates !== undefined) {
      const seconds = elapsed();
      measurements.calculated(work, updates, seconds);
      this.#noteLocals(updates);
      for (const { name, dataplane } of dataplanes) await this.#send(name, dataplane, updates);
      measurements.applied(elapsed() - seconds);
    }
    this.#underWaySince = undefined;
  }

  /** What fails here has lost its changes: when it is the first state, the agent is not ready before its next start. */
  #calculate(work: readonly ModelChange[]): readonly DataplaneUpdate[] | undefined {
    try {
      const updates = this.#parts.graph.apply(work);
      if (this.#wasWhole) this.#broken.delete('calculation');
      return updates;
    } catch (error) {
      this.#noteFailure('calculation', error);
      return undefined;
    }
  }

  /** What a part has not taken goes before what comes next. */
  async #send(name: string, dataplane: Dataplane, updates: readonly DataplaneUpdate[]): Promise<void> {
    const all = [...(this.#owed.get(name) ?? []), ...updates];
    try {
      await dataplane.apply(all);
      this.#owed.delete(name);
      this.#broken.delete(name);
    } catch (error) {
      this.#owed.set(name, all);
      this.#noteFailure(name, error);
    }
  }

  #noteFailure(of: string, error: unknown): void {
    const { measurements, log } = this.#parts;
    this.#broken.set(of, messageOf(error));
    measurements.failures++;
    log.error('a change did not reach the kernel', { of, error: messageOf(error) });
  }

  #noteLocals(updates: readonly DataplaneUpdate[]): void {
    for (const update of updates) {
      if (update.kind === 'endpoint-updated') this.#locals.set(update.id, update.local);
      else if (update.kind === 'endpoint-removed') this.#locals.delete(update.id);
    }
  }

  #announce(changes: readonly ModelChange[], revision: number): void {
    const { programmed } = this.#parts;
    for (const change of changes) {
      if (change.kind !== 'endpoint') continue;
      this.#unannounced.delete(change.id);
      if (change.endpoint === undefined) programmed.forget(change.id);
      else this.#unannounced.set(change.id, revision);
    }
    // Who waits for an endpoint must not hear of it before its policy is in force.
    if (this.#broken.size > 0) return;
    for (const [id, since] of this.#unannounced) programmed.reached(id, since);
    this.#unannounced.clear();
  }
}
