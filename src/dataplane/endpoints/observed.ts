import type { LinkInfo, NetworkEvent, RouteInfo } from '../../netlink/index.js';

const TABLE_MAIN = 254;
/** what the kernel gives an IPv6 route that was added without metric */
const IPV6_METRIC = 1024;

/** What an event changed, by name, so that only that is looked at again. */
export interface ObservedChange {
  readonly interfaces: Set<string>;
  readonly destinations: Set<string>;
}

interface SeenLink {
  readonly link: LinkInfo;
  /** monotonic milliseconds; minus infinity when it was there before us */
  readonly since: number;
}

/**
 * The kernel's links, our host routes and the IPv4 default routes, as last heard of. Kept up by events, and
 * by what we do ourselves at once, since a later step may undo it before its event is read.
 */
export class Observed {
  readonly #protocol: number;
  readonly #links = new Map<number, SeenLink>();
  readonly #indexByName = new Map<string, number>();
  /** by destination, then by interface and metric */
  readonly #routes = new Map<string, Map<string, RouteInfo>>();
  readonly #defaults = new Map<string, RouteInfo>();

  constructor(protocol: number) {
    this.#protocol = protocol;
  }

  /** Takes a complete reading. */
  reset(links: readonly LinkInfo[], routes: readonly RouteInfo[]): void {
    const since = new Map([...this.#links].map(([index, seen]) => [index, seen.since]));
    this.#links.clear();
    this.#indexByName.clear();
    this.#routes.clear();
    this.#defaults.clear();
    for (const link of links) {
      this.#links.set(link.index, { link, since: since.get(link.index) ?? -Infinity });
      this.#indexByName.set(link.name, link.index);
    }
    for (const route of routes) this.#addRoute(route);
  }

  /** Takes one event; returns the interfaces and destinations for which something differs now. */
  note(event: NetworkEvent, now: number): ObservedChange {
    const change: ObservedChange = { interfaces: new Set(), destinations: new Set() };
    switch (event.kind) {
      case 'link':
        this.#noteLink(event.link, now, change);
        break;
      case 'link-gone':
        this.#dropLink(event.link.index, change);
        break;
      case 'route':
        if (event.route.table !== TABLE_MAIN) break;
        if ((event.replaces && this.#dropReplaced(event.route)) || this.#isOurs(event.route)) {
          change.destinations.add(event.route.destination);
        }
        this.#addRoute(event.route);
        break;
      case 'route-gone':
        if (this.#isOurs(event.route)) change.destinations.add(event.route.destination);
        this.#dropRoute(event.route);
        break;
      case 'address':
      case 'address-gone':
      case 'settings':
        break;
    }
    return change;
  }

  link(name: string): LinkInfo | undefined {
    const index = this.#indexByName.get(name);
    return index === undefined ? undefined : this.#links.get(index)?.link;
  }

  linkAt(index: number): SeenLink | undefined {
    return this.#links.get(index);
  }

  /** Our routes to the destination: more than one only when somebody meddled. */
  routesTo(destination: string): readonly RouteInfo[] {
    return [...(this.#routes.get(destination)?.values() ?? [])];
  }

  destinations(): Iterable<string> {
    return this.#routes.keys();
  }

  get hasDefaultRoute(): boolean {
    return this.#defaults.size > 0;
  }

  /** Notes a route that we have just set. */
  routeSet(destination: string, interfaceIndex: number): void {
    const ipv6 = destination.includes(':');
    this.#routes.delete(destination);
    this.#addRoute({
      destination,
      gateway: undefined,
      interfaceIndex,
      protocol: this.#protocol,
      scope: ipv6 ? 0 : 253,
      table: TABLE_MAIN,
      type: 'unicast',
      metric: ipv6 ? IPV6_METRIC : 0,
    });
  }

  /** Notes a route that we have just deleted. */
  routeDeleted(route: RouteInfo): void {
    this.#dropRoute(route);
  }

  #noteLink(link: LinkInfo, now: number, change: ObservedChange): void {
    const before = this.#links.get(link.index);
    if (before !== undefined && before.link.name !== link.name) {
      this.#indexByName.delete(before.link.name);
      change.interfaces.add(before.link.name);
    }
    this.#links.set(link.index, { link, since: before?.since ?? now });
    this.#indexByName.set(link.name, link.index);
    // The kernel drops the IPv4 routes of a link that goes down without a word.
    if (before?.link.up === true && !link.up) this.#dropRoutesOf(link.index, change);
    const same =
      before?.link.name === link.name && before.link.up === link.up && before.link.running === link.running;
    if (!same) change.interfaces.add(link.name);
  }

  #dropLink(index: number, change: ObservedChange): void {
    const gone = this.#links.get(index);
    if (gone === undefined) return;
    this.#links.delete(index);
    if (this.#indexByName.get(gone.link.name) === index) this.#indexByName.delete(gone.link.name);
    this.#dropRoutesOf(index, change);
    change.interfaces.add(gone.link.name);
  }

  #dropRoutesOf(index: number, change: ObservedChange): void {
    for (const routes of [...this.#routes.values(), this.#defaults]) {
      for (const route of routes.values()) {
        if (route.interfaceIndex !== index) continue;
        this.#dropRoute(route);
        change.destinations.add(route.destination);
      }
    }
  }

  #isDefault({ destination, type, table }: RouteInfo): boolean {
    return destination === '0.0.0.0/0' && type === 'unicast' && table === TABLE_MAIN;
  }

  /** Only plain routes to one host: other parts of the program have routes of the same protocol. */
  #isOurs(route: RouteInfo): boolean {
    return (
      route.protocol === this.#protocol &&
      route.table === TABLE_MAIN &&
      route.type === 'unicast' &&
      route.gateway === undefined &&
      route.interfaceIndex !== undefined &&
      route.destination.endsWith(route.destination.includes(':') ? '/128' : '/32')
    );
  }

  #addRoute(route: RouteInfo): void {
    if (this.#isDefault(route)) this.#defaults.set(defaultKey(route), route);
    if (!this.#isOurs(route)) return;
    const routes = this.#routes.get(route.destination) ?? new Map<string, RouteInfo>();
    routes.set(routeKey(route), route);
    this.#routes.set(route.destination, routes);
  }

  #dropRoute(route: RouteInfo): void {
    if (this.#isDefault(route)) this.#defaults.delete(defaultKey(route));
    if (!this.#isOurs(route)) return;
    const routes = this.#routes.get(route.destination);
    routes?.delete(routeKey(route));
    if (routes?.size === 0) this.#routes.delete(route.destination);
  }

  /** True when there was one of those we follow. */
  #dropReplaced({ destination, metric }: RouteInfo): boolean {
    const same = [...(this.#routes.get(destination)?.values() ?? []), ...this.#defaults.values()].filter(
      route => route.destination === destination && route.metric === metric,
    );
    for (const route of same) this.#dropRoute(route);
    return same.length > 0;
  }
}

function routeKey({ interfaceIndex, metric }: RouteInfo): string {
  return `${String(interfaceIndex)} ${String(metric)}`;
}

function defaultKey(route: RouteInfo): string {
  return `${route.gateway ?? ''} ${String(route.protocol)} ${routeKey(route)}`;
}
