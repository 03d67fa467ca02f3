import { isCalicoError, messageOf } from '../base/index.js';
import type { Clock, Issue, Logger } from '../base/index.js';
import { bgpStateFrom } from '../bgp/index.js';
import type { BgpState } from '../bgp/index.js';
import { uplinkOf } from '../dataplane/index.js';
import type { Cidr } from '../net/index.js';
import type { AddressInfo } from '../netlink/index.js';
import type { ResourceOf } from '../resources/index.js';
import type { RoutingContent } from './routing-view.js';

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

/** Keeps the BGP daemon's configuration as nodes, peers, pools, settings and blocks say. */
export class BgpSync {
  readonly #parts: BgpSyncParts;
  #content: RoutingContent | undefined;
  #known = '';
  /** what the configuration does without, each as a sentence */
  #leftOut: readonly string[] = [];
  #running: Promise<void> | undefined;
  #again = false;
  #problem: string | undefined;
  #failures = 0;
  readonly #ended = new AbortController();

  constructor(parts: BgpSyncParts) {
    this.#parts = parts;
  }

  /** Something in the content changed, or it is known for the first time. */
  update(content: RoutingContent): void {
    this.#content = content;
    this.#schedule();
  }

  /** Why the daemon does not run what it should, and what of the datastore BGP cannot use; empty when all is well. */
  problems(): readonly string[] {
    return [...(this.#problem === undefined ? [] : [this.#problem]), ...this.#leftOut];
  }

  /** Resolves when no configuration is on its way; what the daemon runs stays. */
  async stop(): Promise<void> {
    this.#ended.abort();
    while (this.#running !== undefined) await this.#running;
  }

  /** One configuration at a time; what changes meanwhile is in the next one. */
  #schedule(): void {
    const content = this.#content;
    if (content === undefined || this.#ended.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#configure(content)
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

  async #configure(content: RoutingContent): Promise<void> {
    const { nodes, peers, pools, blocks, settings, nodeSettings } = content;
    const { state, issues } = bgpStateFrom({
      nodeName: this.#parts.nodeName,
      nodes,
      peers,
      pools,
      blocks,
      settings,
      nodeSettings,
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

  /** Each problem is said when it appears, not with every configuration. */
  #report(issues: readonly Issue[]): void {
    const text = JSON.stringify(issues);
    if (text === this.#known) return;
    this.#known = text;
    this.#leftOut = issues.map(
      ({ path, value, expected }) => `BGP does without ${path} '${value}': expected ${expected}`,
    );
    for (const issue of issues) this.#parts.log.warn('left out of the BGP configuration', { ...issue });
  }
}
