import { isCalicoError, messageOf } from '../base/index.js';
import type { Clock, Issue, Logger } from '../base/index.js';
import { bgpStateFrom } from '../bgp/index.js';
import type { BgpState } from '../bgp/index.js';
import { uplinkOf } from '../dataplane/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import type { BlockEvent, BlockRoutes } from '../ipam/index.js';
import type { Cidr } from '../net/index.js';
import type { AddressInfo } from '../netlink/index.js';
import type { Resource, ResourceOf } from '../resources/index.js';

export interface BgpSyncParts {
  readonly nodeName: string;
  readonly interfacePrefixes: readonly string[];
  /** those that the host has at the moment */
  readonly addresses: () => readonly AddressInfo[];
  /** brings the daemon in line; called again with each new state */
  readonly apply: (state: BgpState) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/**
 * Keeps the BGP daemon's configuration as nodes, peers, pools, settings and blocks say. Nothing is written
 * before both watches know the whole content: half a picture would withdraw routes.
 */
export class BgpSync {
  readonly #parts: BgpSyncParts;
  readonly #resources = new Map<string, Resource>();
  readonly #blocks = new Map<string, BlockRoutes>();
  readonly #settings = new Map<string, string>();
  readonly #nodeSettings = new Map<string, string>();
  #clusterInSync = false;
  #blocksInSync = false;
  #known = '';
  #running: Promise<void> | undefined;
  #again = false;
  #problem: string | undefined;
  #failures = 0;
  readonly #ended = new AbortController();

  constructor(parts: BgpSyncParts) {
    this.#parts = parts;
  }

  handleCluster(event: ClusterEvent): void {
    let touched = event.inSync;
    for (const change of event.changes) {
      if (change.kind === 'setting') {
        touched = this.#setting(change.setting, change.value) || touched;
      } else if (['node', 'bgpPeer', 'ipPool'].includes(change.resourceKind)) {
        touched = true;
        if (change.resource !== undefined) this.#resources.set(change.id, change.resource);
        // What cannot be read keeps its last good form: unreadable data of one node takes no route down.
        else if (change.problem === undefined) this.#resources.delete(change.id);
      }
    }
    this.#clusterInSync ||= event.inSync;
    if (touched) this.#schedule();
  }

  handleBlocks(event: BlockEvent): void {
    // All there is: what an earlier watch told and this one does not, is gone.
    if (event.inSync) this.#blocks.clear();
    for (const change of event.changes) {
      if (change.kind === 'removed') this.#blocks.delete(change.cidr);
      else this.#blocks.set(change.block.cidr, change.block);
    }
    this.#blocksInSync ||= event.inSync;
    this.#schedule();
  }

  /** Why the daemon does not run what it should; empty when it does. */
  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Resolves when no configuration is on its way; what the daemon runs stays. */
  async stop(): Promise<void> {
    this.#ended.abort();
    while (this.#running !== undefined) await this.#running;
  }

  #setting(
    setting: { readonly component: string; readonly node?: string; readonly name: string },
    value: string | undefined,
  ): boolean {
    if (setting.component !== 'bgp') return false;
    if (setting.node !== undefined && setting.node !== this.#parts.nodeName) return false;
    const target = setting.node === undefined ? this.#settings : this.#nodeSettings;
    if (value === undefined) target.delete(setting.name);
    else target.set(setting.name, value);
    return true;
  }

  /** One configuration at a time; what changes meanwhile is in the next one. */
  #schedule(): void {
    if (!this.#clusterInSync || !this.#blocksInSync || this.#ended.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#configure()
      .then(
        () => {
          this.#problem = undefined;
          this.#failures = 0;
        },
        (error: unknown) => {
          this.#note(error);
        },
      )
      .finally(() => {
        this.#running = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#schedule();
      });
  }

  /** A refused configuration has to wait for another one; everything else is worth trying again. */
  #note(error: unknown): void {
    const problem = `BGP: ${messageOf(error)}`;
    if (problem !== this.#problem)
      this.#parts.log.error('the BGP daemon is not as it should be', { problem });
    this.#problem = problem;
    if (!isCalicoError(error, 'invalid')) this.#scheduleLater();
  }

  #scheduleLater(): void {
    const pauseMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#parts.clock.sleep(pauseMs, this.#ended.signal).then(
      () => {
        this.#schedule();
      },
      () => undefined,
    );
  }

  async #configure(): Promise<void> {
    const nodes = this.#ofKind('node');
    const { state, issues } = bgpStateFrom({
      nodeName: this.#parts.nodeName,
      nodes,
      peers: this.#ofKind('bgpPeer'),
      pools: this.#ofKind('ipPool'),
      blocks: [...this.#blocks.values()],
      settings: this.#settings,
      nodeSettings: this.#nodeSettings,
      interfacePrefixes: this.#parts.interfacePrefixes,
      ownSubnets: this.#ownSubnets(nodes),
      tunnelsByAgent: true,
    });
    this.#report(issues);
    await this.#parts.apply(state);
  }

  /** Only the host itself knows how long the prefix of its addresses is. */
  #ownSubnets(nodes: readonly ResourceOf<'node'>[]): readonly Cidr[] {
    const bgp = nodes.find(({ metadata }) => metadata.name === this.#parts.nodeName)?.spec.bgp;
    const held = [bgp?.ipv4Address, bgp?.ipv6Address].filter(address => address !== undefined);
    if (held.length === 0) return [];
    const addresses = this.#parts.addresses();
    return held.flatMap(address => uplinkOf(addresses, address).subnets);
  }

  #ofKind<K extends 'node' | 'bgpPeer' | 'ipPool'>(kind: K): readonly ResourceOf<K>[] {
    return [...this.#resources.values()].filter(
      (resource): resource is ResourceOf<K> => resource.kind === kind,
    );
  }

  /** Each problem is said when it appears, not with every configuration. */
  #report(issues: readonly Issue[]): void {
    const text = JSON.stringify(issues);
    if (text === this.#known) return;
    this.#known = text;
    for (const issue of issues) this.#parts.log.warn('left out of the BGP configuration', { ...issue });
  }
}
