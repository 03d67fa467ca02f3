import { WORKLOAD_GATEWAY_IPV4 } from '../../net/index.js';
import type { LinkInfo, RouteInfo } from '../../netlink/index.js';
import type { EndpointId } from '../../policy/index.js';
import type { Claims } from './claims.js';
import type { Observed } from './observed.js';

/** The kernel answers ARP for the workloads' router only when it has a route to it by another interface. */
export const GATEWAY_DESTINATION = `${WORKLOAD_GATEWAY_IPV4}/32`;

/** A plugin may have made link and route a moment before its endpoint reaches us. */
const GRACE_MS = 10_000;

/** One step, small enough to fail on its own. */
export type PlumbingAction =
  | { readonly kind: 'delete-route'; readonly route: RouteInfo }
  | { readonly kind: 'configure-link'; readonly link: LinkInfo }
  /** the host answers for these addresses on the link, and no more for those */
  | {
      readonly kind: 'set-proxies';
      readonly link: LinkInfo;
      readonly addresses: readonly string[];
      readonly gone: readonly string[];
    }
  | { readonly kind: 'set-route'; readonly destination: string; readonly link: LinkInfo }
  | {
      readonly kind: 'set-neighbour';
      readonly destination: string;
      readonly link: LinkInfo;
      readonly mac: string;
    };

/** What we have done that the kernel does not report back. */
export interface Done {
  /** index of the interface of that name that has its settings */
  readonly configured: ReadonlyMap<string, number>;
  /** by name of the interface: its index, and for which addresses the host answers on it */
  readonly proxies: ReadonlyMap<string, Proxies>;
  /** endpoint that a destination was last programmed for */
  readonly holders: ReadonlyMap<string, EndpointId>;
  /** `index mac` of the neighbour entry that belongs to a destination */
  readonly neighbours: ReadonlyMap<string, string>;
}

export interface Proxies {
  readonly index: number;
  readonly addresses: readonly string[];
}

export interface World {
  readonly claims: Claims;
  readonly observed: Observed;
  readonly done: Done;
  /** monotonic milliseconds */
  readonly now: number;
}

/** The address of a host route's destination. */
export function addressOf(destination: string): string {
  return destination.slice(0, destination.lastIndexOf('/'));
}

/** As `Done.neighbours` notes it. */
export function neighbourMark(link: LinkInfo, mac: string): string {
  return `${String(link.index)} ${mac}`;
}

/** Settings for an interface that some endpoint has and that is new, or has come again. */
export function planInterface(world: World, name: string): readonly PlumbingAction[] {
  const { claims, observed, done } = world;
  const link = observed.link(name);
  if (link === undefined || !claims.ownsInterface(name) || claims.onInterface(name).length === 0) return [];
  const configured = done.configured.get(name) === link.index;
  return [...(configured ? [] : [{ kind: 'configure-link', link } as const]), ...planProxies(world, link)];
}

/** Routers that workloads were given an address of: nobody else on the link has it. */
function planProxies({ claims, done }: World, link: LinkInfo): readonly PlumbingAction[] {
  const gateways = claims.onInterface(link.name).flatMap(({ ipv6Gateway }) => ipv6Gateway ?? []);
  const addresses = [...new Set(claims.ipv6 ? gateways : [])].sort();
  const known = done.proxies.get(link.name);
  const before = known?.index === link.index ? known.addresses : [];
  if (before.join() === addresses.join()) return [];
  return [{ kind: 'set-proxies', link, addresses, gone: before.filter(each => !addresses.includes(each)) }];
}

/** What one destination needs, in two parts: nothing new comes before the old has gone everywhere. */
export interface DestinationPlan {
  readonly removals: readonly PlumbingAction[];
  /** its address has left the endpoint that had it: its connections must end before anybody gets it again */
  readonly released: boolean;
  readonly additions: readonly PlumbingAction[];
}

/** Brings the routes to one destination in line with who holds it. */
export function planDestination(world: World, destination: string): DestinationPlan {
  const { claims, observed, done } = world;
  const present = observed.routesTo(destination);
  const holder = claims.holder(destination);
  const last = done.holders.get(destination);
  const wanted = wantedLink(world, destination);
  const moved = last !== undefined && last !== holder?.id;

  // A route that moves with its endpoint is replaced in one step; one that changes hands is taken away first.
  const takenFirst = wanted === undefined || moved;
  const wrong = present
    .filter(route => route.interfaceIndex !== wanted?.index && mayRemove(world, route))
    .map((route): PlumbingAction => ({ kind: 'delete-route', route }));
  const orphaned = holder === undefined && wrong.length > 0 && destination !== GATEWAY_DESTINATION;
  return {
    removals: takenFirst ? wrong : [],
    released: moved || orphaned,
    additions: [
      ...(wanted === undefined ? [] : planAdditions(world, destination, wanted)),
      ...(takenFirst ? [] : wrong),
    ],
  };
}

function planAdditions(
  { claims, observed, done }: World,
  destination: string,
  link: LinkInfo,
): readonly PlumbingAction[] {
  const present = observed.routesTo(destination);
  const inPlace = present.length === 1 && present[0]?.interfaceIndex === link.index;
  const mac = claims.holder(destination)?.mac;
  // The entry goes with the route: what took the one away has probably taken the other.
  const stale =
    mac !== undefined && (!inPlace || done.neighbours.get(destination) !== neighbourMark(link, mac));
  return [
    ...(inPlace ? [] : [{ kind: 'set-route', destination, link } as const]),
    ...(stale ? [{ kind: 'set-neighbour', destination, link, mac } as const] : []),
  ];
}

function wantedLink({ claims, observed }: World, destination: string): LinkInfo | undefined {
  const holder = claims.holder(destination);
  if (holder === undefined && destination === GATEWAY_DESTINATION) {
    const needed = !observed.hasDefaultRoute && claims.size > 0;
    const loopback = needed ? observed.link('lo') : undefined;
    return loopback?.up === true ? loopback : undefined;
  }
  const link = holder === undefined ? undefined : observed.link(holder.interfaceName);
  // No need of a carrier: its event may come a second after the other end is up, and traffic need not wait.
  return link?.up === true ? link : undefined;
}

/** Only what lies on a workload's interface (or our own loopback route), and what nobody is just setting up. */
function mayRemove({ claims, observed, now }: World, { destination, interfaceIndex }: RouteInfo): boolean {
  const seen = interfaceIndex === undefined ? undefined : observed.linkAt(interfaceIndex);
  if (seen === undefined) return false;
  if (destination === GATEWAY_DESTINATION && seen.link.name === 'lo') return true;
  if (!claims.ownsInterface(seen.link.name)) return false;
  const unclaimed = claims.onInterface(seen.link.name).length === 0;
  return !(unclaimed && claims.holder(destination) === undefined && now - seen.since < GRACE_MS);
}
