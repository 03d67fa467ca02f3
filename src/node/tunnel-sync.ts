import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { TunnelSource } from '../dataplane/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import type { BlockEvent, BlockRoutes } from '../ipam/index.js';
import type { Resource, ResourceOf } from '../resources/index.js';
import type { AddressPool } from './tunnel-address.js';

export interface TunnelSyncParts {
  readonly nodeName: string;
  /** brings routes and device in line */
  readonly apply: (source: TunnelSource) => void;
  /** the address of this node's end of the tunnel, for these pools */
  readonly ensureAddress: (pools: readonly AddressPool[]) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5_000;
/** Somebody may have released the address by hand, or restored an older datastore. */
const RECHECK_MS = 90_000;

/**
 * Keeps the routes of encapsulated pools as nodes, pools and blocks say, and an address for the tunnel while a
 * pool needs one. Nothing is written before both watches know the whole content: half a picture would take
 * working routes away.
 */
export class TunnelSync {
  readonly #parts: TunnelSyncParts;
  readonly #resources = new Map<string, Resource>();
  readonly #blocks = new Map<string, BlockRoutes>();
  readonly #ended = new AbortController();
  #clusterInSync = false;
  #blocksInSync = false;
  #address: string | undefined;
  /** the pools for which the address was last made sure of */
  #settledFor: string | undefined;
  #problem: string | undefined;
  #settling: Promise<void> = Promise.resolve();

  constructor(parts: TunnelSyncParts) {
    this.#parts = parts;
  }

  handleCluster(event: ClusterEvent): void {
    let touched = event.inSync;
    for (const change of event.changes) {
      if (change.kind !== 'resource' || !['node', 'ipPool'].includes(change.resourceKind)) continue;
      touched = true;
      if (change.resource !== undefined) this.#resources.set(change.id, change.resource);
      // What cannot be read keeps its last good form: unreadable data of one node takes no route down.
      else if (change.problem === undefined) this.#resources.delete(change.id);
    }
    this.#clusterInSync ||= event.inSync;
    if (touched) this.#update();
  }

  handleBlocks(event: BlockEvent): void {
    // All there is: what an earlier watch told and this one does not, is gone.
    if (event.inSync) this.#blocks.clear();
    for (const change of event.changes) {
      if (change.kind === 'removed') this.#blocks.delete(change.cidr);
      else this.#blocks.set(change.block.cidr, change.block);
    }
    this.#blocksInSync ||= event.inSync;
    this.#update();
  }

  /** Why this node has no address for its tunnel though it needs one. */
  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Resolves when nothing is under way; the address stays assigned. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#settling;
  }

  #update(): void {
    if (!this.#clusterInSync || !this.#blocksInSync || this.#ended.signal.aborted) return;
    this.#applyNow();
    if (JSON.stringify(this.#addressPools()) !== this.#settledFor) this.#settle();
  }

  #applyNow(): void {
    const pools = this.#pools();
    const nodes = this.#ofKind('node').flatMap(({ metadata, spec }) =>
      spec.bgp?.ipv4Address === undefined ? [] : [[metadata.name, spec.bgp.ipv4Address] as const],
    );
    this.#parts.apply({
      nodeName: this.#parts.nodeName,
      nodeAddresses: new Map(nodes),
      pools: pools.map(({ metadata: { cidr }, spec: { ipip } }) => ({ cidr, mode: ipip?.mode ?? 'always' })),
      blocks: pools.length === 0 ? [] : [...this.#blocks.values()],
      tunnelAddress: this.#address,
    });
  }

  /** One at a time; a failure is tried again, and what was right is looked at again now and then. */
  #settle(): void {
    const pools = this.#addressPools();
    this.#settledFor = JSON.stringify(pools);
    this.#settling = this.#settling.then(async () => {
      if (this.#ended.signal.aborted || JSON.stringify(pools) !== this.#settledFor) return;
      try {
        const address = await this.#parts.ensureAddress(pools);
        this.#problem = undefined;
        if (address !== this.#address) {
          this.#address = address;
          this.#applyNow();
        }
        if (pools.length > 0) this.#settleLater(RECHECK_MS);
      } catch (error) {
        const problem = `no address for the tunnel device: ${messageOf(error)}`;
        if (problem !== this.#problem) this.#parts.log.error('tunnel', { problem });
        this.#problem = problem;
        this.#settleLater(RETRY_MS);
      }
    });
  }

  #settleLater(ms: number): void {
    const expected = this.#settledFor;
    this.#parts.clock.sleep(ms, this.#ended.signal).then(
      () => {
        // Otherwise the pools have changed, and with them somebody else looks after it.
        if (this.#settledFor === expected) this.#settle();
      },
      () => undefined,
    );
  }

  /** IP-in-IP carries IPv4 only. */
  #pools(): readonly ResourceOf<'ipPool'>[] {
    return this.#ofKind('ipPool')
      .filter(({ metadata, spec }) => spec.ipip?.enabled === true && !metadata.cidr.includes(':'))
      .sort((a, b) => (a.metadata.cidr < b.metadata.cidr ? -1 : 1));
  }

  #addressPools(): readonly AddressPool[] {
    return this.#pools().map(({ metadata: { cidr }, spec }) => ({ cidr, enabled: spec.disabled !== true }));
  }

  #ofKind<K extends 'node' | 'ipPool'>(kind: K): readonly ResourceOf<K>[] {
    return [...this.#resources.values()].filter(
      (resource): resource is ResourceOf<K> => resource.kind === kind,
    );
  }
}
