import type { Logger } from '../base/index.js';
import { endpointStatusPrefixes, hostEndpointStatusKey, workloadStatusKey } from '../datastore/index.js';
import type { Store, Write } from '../datastore/index.js';
import type { EndpointId } from '../policy/index.js';

/** As those who keep the states tell it. */
export interface ReportedState {
  readonly state: 'up' | 'down' | 'error';
  readonly reason?: string;
}

export interface EndpointReportParts {
  readonly node: string;
  readonly store: Store;
  /** the endpoints of this host as they are now */
  readonly states: () => ReadonlyMap<EndpointId, ReportedState>;
  readonly log: Logger;
}

const MOST_AT_ONCE = 100;
/** So often all keys are compared with what they should be, in rounds. */
const ROUNDS_BETWEEN_AUDITS = 180;

/** The key of an endpoint's report; undefined for what is not reported. */
function keyOf(id: EndpointId): string | undefined {
  const [, node, orchestrator, workload, name] =
    /^workload:([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/.exec(id) ?? [];
  if (node !== undefined && orchestrator !== undefined && workload !== undefined && name !== undefined) {
    return workloadStatusKey({ node, orchestrator, workload, name });
  }
  const [, host, endpoint] = /^host:([^/]*)\/([^/]*)$/.exec(id) ?? [];
  if (host === undefined || endpoint === undefined) return undefined;
  return hostEndpointStatusKey({ node: host, name: endpoint });
}

/** Readers of the field know `status`, and ignore the reason. */
function valueOf({ state, reason }: ReportedState): string {
  return JSON.stringify(reason === undefined ? { status: state } : { status: state, reason });
}

/**
 * Writes the status of this host's endpoints to the datastore, what changed since the last round in
 * one commit, and from time to time compares everything: what is wrong or stale is put right.
 */
export class EndpointReports {
  readonly #parts: EndpointReportParts;
  readonly #changed = new Set<EndpointId>();
  #rounds = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: EndpointReportParts) {
    this.#parts = parts;
  }

  /** Something about the endpoint changed: the next round looks at it. */
  note(id: EndpointId): void {
    this.#changed.add(id);
  }

  /** Takes all reports back: nobody shall read them as they get old. */
  async removeAll(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#correct(new Map());
      this.#rounds = 0;
    });
  }

  /** One round; what fails is tried again in the next. */
  async round(): Promise<void> {
    await this.#inTurn(async () => {
      const isAudit = this.#rounds++ % ROUNDS_BETWEEN_AUDITS === 0;
      try {
        await (isAudit ? this.#audit() : this.#writeChanged());
      } catch (error) {
        if (isAudit) this.#rounds = 0;
        throw error;
      }
    });
  }

  async #inTurn(step: () => Promise<void>): Promise<void> {
    const before = this.#turn;
    const mine = before.then(step);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  async #writeChanged(): Promise<void> {
    const { store, states } = this.#parts;
    const ids = [...this.#changed].slice(0, MOST_AT_ONCE);
    if (ids.length === 0) return;
    for (const id of ids) this.#changed.delete(id);
    const now = states();
    const writes = ids.flatMap(id => {
      const key = keyOf(id);
      return key === undefined ? [] : [writeOf(key, now.get(id))];
    });
    try {
      if (writes.length > 0) await store.commit({ writes });
    } catch (error) {
      for (const id of ids) this.#changed.add(id);
      throw error;
    }
  }

  async #audit(): Promise<void> {
    this.#changed.clear();
    await this.#correct(this.#parts.states());
  }

  /** Makes the stored reports those states, and no others. */
  async #correct(states: ReadonlyMap<EndpointId, ReportedState>): Promise<void> {
    const { node, store, log } = this.#parts;
    const stored = new Map<string, string>();
    for (const prefix of endpointStatusPrefixes(node)) {
      for (const { key, value } of (await store.list(prefix)).entries) stored.set(key, value);
    }
    const writes: Write[] = [];
    for (const [id, state] of states) {
      const key = keyOf(id);
      if (key === undefined) continue;
      if (stored.get(key) !== valueOf(state)) writes.push(writeOf(key, state));
      stored.delete(key);
    }
    for (const key of stored.keys()) writes.push({ kind: 'delete', key });
    for (let from = 0; from < writes.length; from += MOST_AT_ONCE) {
      await store.commit({ writes: writes.slice(from, from + MOST_AT_ONCE) });
    }
    log.debug('status of endpoints compared', { endpoints: states.size, corrected: writes.length });
  }
}

function writeOf(key: string, state: ReportedState | undefined): Write {
  return state === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: valueOf(state) };
}
