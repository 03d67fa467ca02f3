import { isCalicoError, messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import { contains, formatCidr, parseCidr } from '../../net/index.js';
import type { Cidr, IpVersion } from '../../net/index.js';
import type { HostNetwork, NetworkChange, NetworkEvent, RouteInfo } from '../../netlink/index.js';
import { ensureDevice, releaseDevice, tunnelMtu } from './device.js';
import { diffRoutes, isTunnelRoute } from './diff.js';
import { planTunnelRoutes, planVxlanEnds, tunnelRanges } from './plan.js';
import type { TunnelRoute, TunnelSource } from './plan.js';
import { deviceProperties, TUNNEL_DEVICES } from './tunnel-devices.js';
import type { TunnelDevice } from './tunnel-devices.js';
import { uplinkOf } from './uplink.js';
import type { Uplink } from './uplink.js';
import { addVxlanEnds, removeVxlanEnds } from './vxlan-ends.js';

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

const VERSIONS: readonly IpVersion[] = [4, 6];

/** How long a VXLAN device stays that no pool needs any more. */
const LINGER_MS = 5_000;

/** The links that a host's own addresses are on. */
type Uplinks = { readonly [Version in IpVersion]?: Uplink };

/**
 * Keeps the routes of encapsulated pools, and their devices, as the datastore says: after each change of it,
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
  /** our own addresses on devices, as far as we have put them there */
  readonly #deviceAddresses = new Map<TunnelDevice, string>();
  /** since when no pool needs a device that is there; monotonic milliseconds */
  readonly #idleSince = new Map<TunnelDevice, number>();
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
        return isTunnelDevice(event.link.name) || this.#links.has(event.link.index);
      case 'address':
      case 'address-gone':
        return this.#links.has(event.address.interfaceIndex) || this.#isOwnAddress(event.address.address);
      case 'route':
      case 'route-gone':
        return isTunnelRoute(event.route) || this.#wanted.has(event.route.destination);
      case 'settings':
        return false;
    }
  }

  /** It may come to a link that nothing of ours depended on. */
  #isOwnAddress(address: string): boolean {
    const own = this.#source?.nodes.get(this.#source.nodeName) ?? {};
    return VERSIONS.some(version => own[version] !== undefined && address.startsWith(`${own[version]}/`));
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
    const attempt = (step: () => void): void => {
      attemptOne(problems, step);
    };
    const uplinks = this.#uplinks(source);
    const wanted = planTunnelRoutes(source, subnetsOf(uplinks));
    const devices = this.#devices(source, uplinks, problems);
    this.#wanted = wanted;
    for (const [name, index] of vxlansOf(devices)) {
      addVxlanEnds(network, index, planVxlanEnds(wanted, name), attempt);
    }
    const { set, remove, taken } = diffRoutes(wanted, network.routes(), devices);
    for (const route of set) attempt(() => this.#setRoute(route, devices));
    const gone = remove.filter(route => this.#mayGo(route, source));
    for (const route of gone) attempt(() => this.#removeRoute(route));
    this.#forgetLeaving(remove);
    if (gone.length === remove.length) this.#tidy(wanted, source, { devices, attempt });
    for (const destination of taken) {
      problems.push(`the route to ${destination} waits: another route to it is in the way`);
    }
    const links = [...devices.values(), ...VERSIONS.map(version => uplinks[version]?.index)];
    this.#links = new Set(links.filter(index => index !== undefined));
    if (set.length + gone.length > 0) {
      this.#parts.log.debug('encapsulated routes changed', { set: set.length, removed: gone.length });
    }
  }

  #uplinks({ nodes, nodeName }: TunnelSource): Uplinks {
    const addresses = this.#parts.network.addresses();
    const own = nodes.get(nodeName) ?? {};
    return {
      ...(own[4] === undefined ? {} : { 4: uplinkOf(addresses, own[4]) }),
      ...(own[6] === undefined ? {} : { 6: uplinkOf(addresses, own[6]) }),
    };
  }

  /**
   * What no route needs any more: other ends, and devices. With its last address the kernel takes all routes of a
   * device, so it has to stay as long as they do.
   */
  #tidy(wanted: ReadonlyMap<string, TunnelRoute>, source: TunnelSource, { devices, attempt }: Tidying): void {
    const { network } = this.#parts;
    for (const [name, index] of vxlansOf(devices)) {
      removeVxlanEnds(network, index, planVxlanEnds(wanted, name), attempt);
    }
    const needed = neededDevices(source);
    for (const device of TUNNEL_DEVICES) {
      if (needed.has(device)) this.#idleSince.delete(device);
      else if (this.#mayRelease(device)) {
        attempt(() => releaseDevice(network, device, this.#deviceAddresses.get(device)));
        this.#deviceAddresses.delete(device);
      }
    }
  }

  /** Other hosts may wrap packets a little longer than this one, and a VXLAN device goes as a whole. */
  #mayRelease(device: TunnelDevice): boolean {
    if (deviceProperties[device].encapsulation === 'ipip') return this.#deviceAddresses.has(device);
    if (this.#parts.network.linkByName(device) === undefined) return false;
    const now = this.#parts.clock.monotonic();
    const since = this.#idleSince.get(device) ?? now;
    this.#idleSince.set(device, since);
    if (now - since >= LINGER_MS) return true;
    this.#repairLater(LINGER_MS);
    return false;
  }

  /**
   * In an encapsulated pool a route that is not wanted is wrong: an address may live elsewhere by now. That of
   * another pool still leads to the right host until somebody else's route does.
   */
  #mayGo({ destination }: RouteInfo, source: TunnelSource): boolean {
    const network = parseCidr(destination);
    const ranges = tunnelRanges(source);
    if (network === undefined || ranges.some(({ range }) => contains(range, network))) return true;
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

  /** The indices of the devices that are ready, of those that a pool needs. */
  #devices(source: TunnelSource, uplinks: Uplinks, problems: string[]): ReadonlyMap<TunnelDevice, number> {
    const { network } = this.#parts;
    const { nodeName, nodes, vxlan } = source;
    const ready = new Map<TunnelDevice, number>();
    const links = network.links();
    for (const device of neededDevices(source)) {
      const { version } = deviceProperties[device];
      const local = nodes.get(nodeName)?.[version];
      if (local === undefined) continue;
      const address = source.tunnelAddresses.get(device);
      const fitting = tunnelMtu(
        device,
        links.find(({ index }) => index === uplinks[version]?.index),
      );
      const mtu = vxlan.mtu[device] ?? fitting;
      try {
        ready.set(device, ensureDevice(network, device, { nodeName, local, address, mtu, vxlan }).index);
        if (address !== undefined) this.#deviceAddresses.set(device, address);
      } catch (error) {
        problems.push(explain(error, device, source));
      }
    }
    return ready;
  }

  #setRoute(route: TunnelRoute, devices: ReadonlyMap<TunnelDevice, number>): void {
    const { network } = this.#parts;
    const { destination, kind } = route;
    if (kind === 'blackhole') network.replaceRoute({ destination, type: 'blackhole' });
    else if (kind === 'direct') network.replaceRoute({ destination, gateway: route.gateway });
    else {
      const interfaceIndex = devices.get(route.device);
      if (interfaceIndex === undefined) return;
      network.replaceRoute({ destination, gateway: route.gateway, interfaceIndex, onlink: true });
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

/** What tidying needs besides the plan. */
interface Tidying {
  readonly devices: ReadonlyMap<TunnelDevice, number>;
  readonly attempt: (step: () => void) => void;
}

/** One route that fails keeps no other waiting. */
function attemptOne(problems: string[], step: () => void): void {
  try {
    step();
  } catch (error) {
    problems.push(messageOf(error));
  }
}

function isTunnelDevice(name: string): boolean {
  return TUNNEL_DEVICES.some(device => device === name);
}

function vxlansOf(devices: ReadonlyMap<TunnelDevice, number>): readonly (readonly [TunnelDevice, number])[] {
  return [...devices].filter(([device]) => deviceProperties[device].encapsulation === 'vxlan');
}

function subnetsOf(uplinks: Uplinks): readonly Cidr[] {
  return VERSIONS.flatMap(version => uplinks[version]?.subnets ?? []);
}

function neededDevices(source: TunnelSource): ReadonlySet<TunnelDevice> {
  return new Set(tunnelRanges(source).map(({ device }) => device));
}

function explain(error: unknown, device: TunnelDevice, source: TunnelSource): string {
  const ranges = tunnelRanges(source).filter(range => range.device === device);
  const what =
    deviceProperties[device].encapsulation === 'ipip'
      ? 'IP-in-IP (module ipip, CONFIG_NET_IPIP)'
      : 'VXLAN (module vxlan, CONFIG_VXLAN)';
  const why =
    isCalicoError(error) && error.code === 'unsupported' ? `this kernel has no ${what}` : messageOf(error);
  const pools = ranges.map(({ range }) => formatCidr(range)).join(', ');
  return `no tunnel for ${pools}: ${why}; the routes to other hosts that need it are missing`;
}
