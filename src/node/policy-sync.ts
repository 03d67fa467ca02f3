import type { Logger } from '../base/index.js';
import type { ClusterEvent, ResourceChange } from '../datastore/index.js';
import { modelChangeFromV1 } from '../policy/index.js';
import type { DataplaneUpdate, ModelChange, PolicyGraph } from '../policy/index.js';
import type { Programmed } from './programmed.js';

/** What brings updates into the kernel; resolves when they are there. */
export interface Dataplane {
  apply(updates: readonly DataplaneUpdate[]): Promise<void>;
}

export interface PolicySyncParts {
  readonly graph: PolicyGraph;
  /** in this order: policy is in force before a route lets traffic come */
  readonly dataplanes: readonly Dataplane[];
  readonly programmed: Programmed;
  readonly log: Logger;
}

/**
 * Takes events of the cluster to the kernel. Until the datastore's whole content is known nothing is sent
 * down, so that an incomplete picture never takes a working endpoint away.
 */
export class PolicySync {
  readonly #parts: PolicySyncParts;
  #early: ModelChange[] = [];
  #inSync = false;
  #revision = 0;
  readonly #problems = new Map<string, string>();

  constructor(parts: PolicySyncParts) {
    this.#parts = parts;
  }

  /** True once everything that existed at the start is in the kernel. */
  get ready(): boolean {
    return this.#inSync;
  }

  /** The datastore revision that the kernel corresponds to. */
  get revision(): number {
    return this.#revision;
  }

  /** Stored objects that cannot be read, by id, with the reason. */
  get problems(): ReadonlyMap<string, string> {
    return this.#problems;
  }

  async handle(event: ClusterEvent): Promise<void> {
    const resources = event.changes.filter(change => change.kind === 'resource');
    this.#noteProblems(resources);
    const changes = resources.flatMap(change => {
      const modelChange = modelChangeFromV1(change.resourceKind, change.id, change.resource);
      return modelChange === undefined ? [] : [modelChange];
    });
    if (!this.#inSync) {
      this.#early.push(...changes);
      if (!event.inSync) return;
    }
    const work = this.#inSync ? changes : this.#early;
    this.#early = [];
    const updates = this.#parts.graph.apply(work);
    for (const dataplane of this.#parts.dataplanes) await dataplane.apply(updates);
    this.#inSync = true;
    this.#revision = Math.max(this.#revision, event.revision);
    this.#announce(work, event.revision);
  }

  #announce(changes: readonly ModelChange[], revision: number): void {
    for (const change of changes) {
      if (change.kind !== 'endpoint') continue;
      if (change.endpoint === undefined) this.#parts.programmed.forget(change.id);
      else this.#parts.programmed.reached(change.id, revision);
    }
  }

  #noteProblems(changes: readonly ResourceChange[]): void {
    for (const { id, problem } of changes) {
      if (problem === undefined) this.#problems.delete(id);
      else if (this.#problems.get(id) !== problem) {
        this.#problems.set(id, problem);
        this.#parts.log.error('a stored object cannot be read and is left out', { id, problem });
      }
    }
  }
}
