import { isCalicoError, messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import type { HostNetwork, NetworkChange, NetworkEvent, RouteInfo } from '../../netlink/index.js';
import { ensureDevice, IPIP_DEVICE, ipipMtu, releaseDevice } from './device.js';
import { diffRoutes, isTunnelRoute } from './diff.js';
import { planTunnelRoutes } from './plan.js';
import type { TunnelRoute, TunnelSource } from './plan.js';
import { uplinkOf } from './uplink.js';

export interface TunnelsParts {
  readonly network: HostNetwork;
  readonly log: Logger;
  readonly clock: Clock;
}

const REPAIR_DELAY_MS = 100;
const RETRY_DELAY_MS = 5_000;
const RESYNC_MS = 90_000;

/**
 * Keeps the routes of encapsulated pools, and their device, as the datastore says: after each change of it,
 * when the kernel's links or routes change, and by comparison every 90 s. Knows what an earlier run left by
 * the routes' protocol number.
 */
export class Tunnels {
  readonly #parts: TunnelsParts;
  readonly #ended = new AbortController();
  #watch: { close(): void } | undefined;
  #source: TunnelSource | undefined;
  #wanted: ReadonlyMap<string, TunnelRoute> = new Map();
  /** indices of the links that our routes and addresses depend on */
  #links: ReadonlySet<number> = new Set();
  #problems: readonly string[] = [];
  #deviceAddress: string | undefined;
  /** delays for which a repair is on its way: one soon does not wait for one late */
  readonly #repairs = new Set<number>();

  constructor(parts: TunnelsParts) {
    this.#parts = parts;
  }

  /** Begins to listen to the kernel; it touches nothing before the first `apply`. */
  start(): void {
    this.#watch = this.#parts.network.watch(change => {
      if (this.#source !== undefined && this.#matters(change)) this.#repairLater(REPAIR_DELAY_MS);
    });
    this.#resyncForever();
  }

  /** Brings the kernel in line. What fails is in `problems`, and tried again. */
  apply(source: TunnelSource): void {
    this.#source = source;
    this.#reconcile(source);
  }

  /** What is wrong now, each as a sentence; empty when every route is in place. */
  problems(): readonly string[] {
    return this.#problems;
  }

  /** Ends the care; routes and device stay. */
  stop(): void {
    this.#ended.abort();
    this.#watch?.close();
    this.#watch = undefined;
  }

  #matters({ events, overrun }: NetworkChange): boolean {
    return overrun || events.some(event => this.#concerns(event));
  }

  #concerns(event: NetworkEvent): boolean {
    switch (event.kind) {
      case 'link':
      case 'link-gone':
        return event.link.name === IPIP_DEVICE || this.#links.has(event.link.index);
      case 'address':
      case 'address-gone':
        return this.#links.has(event.address.interfaceIndex) || this.#isOwnAddress(event.address.address);
      case 'route':
      case 'route-gone':
        return isTunnelRoute(event.route) || this.#wanted.has(event.route.destination);
    }
  }

  /** It may come to a link that nothing of ours depended on. */
  #isOwnAddress(address: string): boolean {
    const own = this.#source?.nodeAddresses.get(this.#source.nodeName);
    return own !== undefined && address.startsWith(`${own}/`);
  }

  #reconcile(source: TunnelSource): void {
    const problems: string[] = [];
    try {
      this.#bringInLine(source, problems);
    } catch (error) {
      problems.push(messageOf(error));
    }
    for (const problem of problems) {
      if (!this.#problems.includes(problem)) this.#parts.log.error('encapsulated routes', { problem });
    }
    this.#problems = problems;
    if (problems.length > 0) this.#repairLater(RETRY_DELAY_MS);
  }

  #bringInLine(source: TunnelSource, problems: string[]): void {
    const { network } = this.#parts;
    const own = source.nodeAddresses.get(source.nodeName);
    const uplink = own === undefined ? undefined : uplinkOf(network.addresses(), own);
    const wanted = planTunnelRoutes(source, uplink?.subnets ?? []);
    const device = this.#device(source, uplink?.index, problems);
    this.#wanted = wanted;
    const { set, remove, taken } = diffRoutes(wanted, network.routes(), device);
    for (const route of set) this.#attempt(problems, () => this.#setRoute(route, device));
    for (const route of remove) this.#attempt(problems, () => this.#removeRoute(route));
    for (const destination of taken) {
      problems.push(`the route to ${destination} waits: another route to it is in the way`);
    }
    this.#links = new Set([device, uplink?.index].filter(index => index !== undefined));
    if (set.length + remove.length > 0) {
      this.#parts.log.debug('encapsulated routes changed', { set: set.length, removed: remove.length });
    }
  }

  /** The index of the device that is ready; undefined where none is needed, or none can be had. */
  #device(source: TunnelSource, uplink: number | undefined, problems: string[]): number | undefined {
    const { network } = this.#parts;
    if (source.pools.length === 0) {
      if (this.#deviceAddress !== undefined) releaseDevice(network, this.#deviceAddress);
      this.#deviceAddress = undefined;
      return undefined;
    }
    const address = source.tunnelAddress;
    try {
      const carrier = network.links().find(({ index }) => index === uplink);
      const device = ensureDevice(network, { address, mtu: ipipMtu(carrier) });
      this.#deviceAddress = address;
      return device.index;
    } catch (error) {
      problems.push(explain(error, source));
      return undefined;
    }
  }

  #setRoute(route: TunnelRoute, device: number | undefined): void {
    const { network } = this.#parts;
    const { destination, kind } = route;
    if (kind === 'blackhole') network.replaceRoute({ destination, type: 'blackhole' });
    else if (kind === 'direct') network.replaceRoute({ destination, gateway: route.gateway });
    else if (device !== undefined) {
      network.replaceRoute({ destination, gateway: route.gateway, interfaceIndex: device, onlink: true });
    }
  }

  #removeRoute({ destination, gateway, interfaceIndex, type }: RouteInfo): void {
    this.#parts.network.deleteRoute({
      destination,
      ...(gateway === undefined ? {} : { gateway }),
      ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
      ...(type === 'blackhole' ? { type } : {}),
    });
  }

  /** One route that fails keeps no other waiting. */
  #attempt(problems: string[], step: () => void): void {
    try {
      step();
    } catch (error) {
      problems.push(messageOf(error));
    }
  }

  #repairLater(delayMs: number): void {
    if (this.#repairs.has(delayMs)) return;
    this.#repairs.add(delayMs);
    this.#after(delayMs, () => {
      this.#repairs.delete(delayMs);
      if (this.#source !== undefined) this.#reconcile(this.#source);
    });
  }

  #resyncForever(): void {
    this.#after(RESYNC_MS, () => {
      if (this.#source !== undefined) this.#reconcile(this.#source);
      this.#resyncForever();
    });
  }

  /** Runs later, unless stopped by then. */
  #after(ms: number, run: () => void): void {
    this.#parts.clock.sleep(ms, this.#ended.signal).then(run, () => undefined);
  }
}

function explain(error: unknown, { pools }: TunnelSource): string {
  const ranges = pools.map(({ cidr }) => cidr).join(', ');
  const why =
    isCalicoError(error) && error.code === 'unsupported'
      ? 'this kernel has no IP-in-IP (module ipip, CONFIG_NET_IPIP)'
      : messageOf(error);
  return `no tunnel for ${ranges}: ${why}; the routes to other hosts that need it are missing`;
}
