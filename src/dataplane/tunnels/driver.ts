import { isCalicoError, messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import { contains, parseCidr } from '../../net/index.js';
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
/** How long routes of a pool that is no longer encapsulated stay, so that BIRD's are there before them. */
const HANDOVER_MS = 2_000;

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
  /** when a route was first found to be on its way out, by destination; monotonic milliseconds */
  readonly #leaving = new Map<string, number>();
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
    const gone = remove.filter(route => this.#mayGo(route, source));
    for (const route of gone) this.#attempt(problems, () => this.#removeRoute(route));
    this.#forgetLeaving(remove);
    if (source.pools.length === 0 && gone.length === remove.length) this.#releaseDevice();
    for (const destination of taken) {
      problems.push(`the route to ${destination} waits: another route to it is in the way`);
    }
    this.#links = new Set([device, uplink?.index].filter(index => index !== undefined));
    if (set.length + gone.length > 0) {
      this.#parts.log.debug('encapsulated routes changed', { set: set.length, removed: gone.length });
    }
  }

  /** With its last address the kernel takes all routes of a device: so it has to stay as long as they do. */
  #releaseDevice(): void {
    if (this.#deviceAddress === undefined) return;
    releaseDevice(this.#parts.network, this.#deviceAddress);
    this.#deviceAddress = undefined;
  }

  /**
   * In an encapsulated pool a route that is not wanted is wrong: an address may live elsewhere by now. That of
   * another pool still leads to the right host until somebody else's route does.
   */
  #mayGo({ destination }: RouteInfo, { pools }: TunnelSource): boolean {
    const network = parseCidr(destination);
    const ranges = pools.flatMap(({ cidr }) => parseCidr(cidr) ?? []);
    if (network === undefined || ranges.some(range => contains(range, network))) return true;
    const now = this.#parts.clock.monotonic();
    const since = this.#leaving.get(destination) ?? now;
    this.#leaving.set(destination, since);
    if (now - since >= HANDOVER_MS) return true;
    this.#repairLater(HANDOVER_MS);
    return false;
  }

  #forgetLeaving(leaving: readonly RouteInfo[]): void {
    const still = new Set(leaving.map(({ destination }) => destination));
    for (const destination of this.#leaving.keys()) {
      if (!still.has(destination)) this.#leaving.delete(destination);
    }
  }

  /** The index of the device that is ready; undefined where none is needed, or none can be had. */
  #device(source: TunnelSource, uplink: number | undefined, problems: string[]): number | undefined {
    const { network } = this.#parts;
    if (source.pools.length === 0) return undefined;
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
