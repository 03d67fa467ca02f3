import { ROUTE_PROTOCOL } from '../../net/index.js';
import type { RouteInfo } from '../../netlink/index.js';
import type { TunnelRoute } from './plan.js';

const TABLE_MAIN = 254;

/**
 * Ours among the kernel's routes. Those of workloads have the same protocol but no gateway, and those of
 * other parts of the program are for one address or the default.
 */
export function isTunnelRoute(route: RouteInfo): boolean {
  const { protocol, table, type, gateway, metric, destination } = route;
  const shape = type === 'blackhole' || (type === 'unicast' && gateway !== undefined);
  return (
    shape &&
    protocol === ROUTE_PROTOCOL &&
    table === TABLE_MAIN &&
    metric === 0 &&
    !destination.includes(':') &&
    destination !== '0.0.0.0/0'
  );
}

/** What brings the kernel's routes in line; additions come first, so that nothing is without a way meanwhile. */
export interface RouteDiff {
  readonly set: readonly TunnelRoute[];
  readonly remove: readonly RouteInfo[];
  /** destinations whose place somebody else's route has: a workload that is just leaving this host */
  readonly taken: readonly string[];
}

/** Compares; `tunnel` is the index of the device, undefined while there is none: its routes then wait. */
export function diffRoutes(
  wanted: ReadonlyMap<string, TunnelRoute>,
  routes: readonly RouteInfo[],
  tunnel: number | undefined,
): RouteDiff {
  const ours = new Map<string, RouteInfo>();
  const foreign = new Set<string>();
  const remove: RouteInfo[] = [];
  for (const route of routes) {
    if (isTunnelRoute(route)) {
      ours.set(route.destination, route);
      if (!wanted.has(route.destination)) remove.push(route);
    } else if (route.table === TABLE_MAIN && route.metric === 0 && wanted.has(route.destination)) {
      foreign.add(route.destination);
    }
  }
  const set: TunnelRoute[] = [];
  const taken: string[] = [];
  for (const route of wanted.values()) {
    if (route.kind === 'tunnel' && tunnel === undefined) continue;
    if (inPlace(route, ours.get(route.destination), tunnel)) continue;
    // Replacing goes by destination and metric: it would take the other's route away.
    if (foreign.has(route.destination)) taken.push(route.destination);
    else set.push(route);
  }
  return { set, remove, taken };
}

function inPlace(wanted: TunnelRoute, present: RouteInfo | undefined, tunnel: number | undefined): boolean {
  if (present === undefined) return false;
  if (wanted.kind === 'blackhole') return present.type === 'blackhole';
  const throughTunnel = present.interfaceIndex === tunnel && tunnel !== undefined;
  return present.gateway === wanted.gateway && throughTunnel === (wanted.kind === 'tunnel');
}
