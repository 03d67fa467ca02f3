import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { deviceFor } from '../dataplane/index.js';
import type {
  NodeAddresses,
  TunnelDevice,
  TunnelPeers,
  TunnelPool,
  TunnelSource,
  VxlanSettings,
} from '../dataplane/index.js';
import { parseCidr } from '../net/index.js';
import type { RoutingContent, RoutingPart } from './routing-view.js';
import type { AddressPool } from './tunnel-address.js';

export interface TunnelSyncParts {
  readonly nodeName: string;
  readonly vxlan: VxlanSettings;
  /** brings routes and devices in line */
  readonly apply: (source: TunnelSource) => void;
  /** lets packets of these hosts in, and those of no others */
  readonly admit: (peers: TunnelPeers) => Promise<void>;
  /** the address of this node's end of a tunnel, for these pools */
  readonly ensureAddress: (
    device: TunnelDevice,
    pools: readonly AddressPool[],
  ) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5_000;
/** Somebody may have released the address by hand, or restored an older datastore. */
const RECHECK_MS = 90_000;

/** As many times as long as the work took, the work rests. */
const REST_FACTOR = 3;

/** A pool that is wrapped, as this part needs it. */
interface Pool extends TunnelPool {
  readonly device: TunnelDevice;
  readonly enabled: boolean;
}

/**
 * Keeps the routes of encapsulated pools as nodes, pools and blocks say, and an address for each tunnel while a
 * pool needs one.
 */
export class TunnelSync {
  readonly #parts: TunnelSyncParts;
  readonly #ended = new AbortController();
  #content: RoutingContent | undefined;
  /** those that this node has now */
  readonly #addresses = new Map<TunnelDevice, string>();
  /** the pools for which addresses were last made sure of */
  #settledFor: string | undefined;
  #problem: string | undefined;
  #settling: Promise<void> = Promise.resolve();
  #admitted: string | undefined;
  /** monotonic milliseconds */
  #restsUntil = 0;
  #isWaiting = false;

  constructor(parts: TunnelSyncParts) {
    this.#parts = parts;
  }

  /** These parts of the content changed, or it is known for the first time. */
  update(content: RoutingContent, changed: ReadonlySet<RoutingPart>): void {
    this.#content = content;
    if (this.#ended.signal.aborted) return;
    if (!(['node', 'ipPool', 'block'] as const).some(part => changed.has(part))) return;
    const pools = poolsOf(content);
    if (!changed.isSubsetOf(ONLY_BLOCKS)) this.#admit(content, pools);
    this.#applySoon();
    if (JSON.stringify(pools) !== this.#settledFor) this.#settle(pools);
  }

  /** Why this node has no address for a tunnel though it needs one. */
  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Resolves when nothing is under way; addresses stay assigned. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#settling;
  }

  #admit({ nodes }: RoutingContent, pools: readonly Pool[]): void {
    const hosts = nodes.flatMap(({ spec: { bgp } }) =>
      [bgp?.ipv4Address ?? [], bgp?.ipv6Address ?? []].flat(),
    );
    const peers: TunnelPeers = {
      ipip: pools.some(({ encapsulation }) => encapsulation === 'ipip'),
      vxlan: pools.some(({ encapsulation }) => encapsulation === 'vxlan'),
      hosts: new Set(hosts),
    };
    const text = JSON.stringify([peers.ipip, peers.vxlan, ...peers.hosts]);
    if (text === this.#admitted) return;
    this.#admitted = text;
    // A transaction that fails is tried again by the one who keeps the table.
    this.#parts.admit(peers).catch((error: unknown) => {
      this.#parts.log.error('packets of tunnels may be kept out', { reason: messageOf(error) });
    });
  }

  /**
   * At once, but after some work it rests: each change is compared with the whole of the kernel's routes, and in a
   * large cluster thousands of changes may come in a row.
   */
  #applySoon(): void {
    const { clock } = this.#parts;
    if (this.#isWaiting) return;
    const wait = this.#restsUntil - clock.monotonic();
    if (wait <= 0) {
      this.#applyNow();
      return;
    }
    this.#isWaiting = true;
    clock.sleep(wait, this.#ended.signal).then(
      () => {
        this.#isWaiting = false;
        this.#applyNow();
      },
      () => undefined,
    );
  }

  #applyNow(): void {
    if (this.#content === undefined) return;
    const { clock, nodeName, vxlan, apply } = this.#parts;
    const { nodes, blocks } = this.#content;
    const pools = poolsOf(this.#content);
    const start = clock.monotonic();
    apply({
      nodeName,
      nodes: new Map(nodes.map(({ metadata, spec }) => [metadata.name, addressesOf(spec.bgp)])),
      pools,
      blocks: pools.length === 0 ? [] : blocks,
      tunnelAddresses: new Map(this.#addresses),
      vxlan,
    });
    const end = clock.monotonic();
    this.#restsUntil = end + REST_FACTOR * (end - start);
  }

  /** One at a time; a failure is tried again, and what was right is looked at again now and then. */
  #settle(pools: readonly Pool[]): void {
    const text = JSON.stringify(pools);
    this.#settledFor = text;
    this.#settling = this.#settling.then(async () => {
      if (this.#ended.signal.aborted || text !== this.#settledFor) return;
      try {
        await this.#ensureAddresses(pools);
        this.#problem = undefined;
        if (pools.length > 0) this.#settleLater(RECHECK_MS, pools);
      } catch (error) {
        const problem = `no address for a tunnel: ${messageOf(error)}`;
        if (problem !== this.#problem) this.#parts.log.error('tunnel', { problem });
        this.#problem = problem;
        this.#settleLater(RETRY_MS, pools);
      }
    });
  }

  async #ensureAddresses(pools: readonly Pool[]): Promise<void> {
    for (const device of ['tunl0', 'vxlan.calico', 'vxlan-v6.calico'] as const) {
      const own = pools.filter(pool => pool.device === device);
      const address = await this.#parts.ensureAddress(device, own);
      if (address === this.#addresses.get(device)) continue;
      if (address === undefined) this.#addresses.delete(device);
      else this.#addresses.set(device, address);
      this.#applySoon();
    }
  }

  #settleLater(ms: number, pools: readonly Pool[]): void {
    const expected = this.#settledFor;
    this.#parts.clock.sleep(ms, this.#ended.signal).then(
      () => {
        // Otherwise the pools have changed, and with them somebody else looks after it.
        if (this.#settledFor === expected) this.#settle(pools);
      },
      () => undefined,
    );
  }
}

const ONLY_BLOCKS: ReadonlySet<RoutingPart> = new Set(['block']);

function addressesOf(
  bgp: { readonly ipv4Address?: string; readonly ipv6Address?: string } | undefined,
): NodeAddresses {
  return {
    ...(bgp?.ipv4Address === undefined ? {} : { 4: bgp.ipv4Address }),
    ...(bgp?.ipv6Address === undefined ? {} : { 6: bgp.ipv6Address }),
  };
}

/** The pools whose packets are wrapped, in the order of their texts. */
function poolsOf({ pools }: RoutingContent): readonly Pool[] {
  return pools
    .flatMap(({ metadata: { cidr }, spec: { ipip, vxlan, disabled } }) => {
      const wish = vxlan?.enabled === true ? vxlan : ipip;
      const version = parseCidr(cidr)?.version;
      if (wish?.enabled !== true || version === undefined) return [];
      const encapsulation = wish === vxlan ? 'vxlan' : 'ipip';
      const device = deviceFor(encapsulation, version);
      const mode = wish.mode ?? 'always';
      return device === undefined
        ? []
        : [{ cidr, encapsulation, mode, device, enabled: disabled !== true } as const];
    })
    .toSorted((a, b) => (a.cidr < b.cidr ? -1 : 1));
}
