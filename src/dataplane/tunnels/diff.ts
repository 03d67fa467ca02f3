import { ROUTE_PROTOCOL } from '../../net/index.js';
import type { RouteInfo } from '../../netlink/index.js';
import type { TunnelRoute } from './plan.js';
import type { TunnelDevice } from './tunnel-devices.js';

const TABLE_MAIN = 254;

/** What the kernel writes for a route without one. */
const IPV6_METRIC = 1024;

/**
 * Ours among the kernel's routes. Those of workloads have the same protocol but no gateway, and those of
 * other parts of the program are for one address or the default.
 */
export function isTunnelRoute(route: RouteInfo): boolean {
  const { protocol, type, gateway, destination } = route;
  const shape = type === 'blackhole' || (type === 'unicast' && gateway !== undefined);
  return shape && protocol === ROUTE_PROTOCOL && isInOurPlace(route) && !destination.endsWith('/0');
}

/** In the table, and with the metric, that ours have. */
function isInOurPlace({ table, metric, destination }: RouteInfo): boolean {
  return table === TABLE_MAIN && metric === (destination.includes(':') ? IPV6_METRIC : 0);
}

/** What brings the kernel's routes in line; additions come first, so that nothing is without a way meanwhile. */
export interface RouteDiff {
  readonly set: readonly TunnelRoute[];
  readonly remove: readonly RouteInfo[];
  /** destinations whose place somebody else's route has: a workload that is just leaving this host */
  readonly taken: readonly string[];
}

/** Compares; `devices` are the indices of those that are ready: routes through others wait. */
export function diffRoutes(
  wanted: ReadonlyMap<string, TunnelRoute>,
  routes: readonly RouteInfo[],
  devices: ReadonlyMap<TunnelDevice, number>,
): RouteDiff {
  const ours = new Map<string, RouteInfo>();
  const foreign = new Set<string>();
  const remove: RouteInfo[] = [];
  for (const route of routes) {
    if (isTunnelRoute(route)) {
      ours.set(route.destination, route);
      if (!wanted.has(route.destination)) remove.push(route);
    } else if (isInOurPlace(route) && wanted.has(route.destination)) {
      foreign.add(route.destination);
    }
  }
  const set: TunnelRoute[] = [];
  const taken: string[] = [];
  for (const route of wanted.values()) {
    if (route.kind === 'tunnel' && !devices.has(route.device)) continue;
    if (inPlace(route, ours.get(route.destination), devices)) continue;
    // Replacing goes by destination and metric: it would take the other's route away.
    if (foreign.has(route.destination)) taken.push(route.destination);
    else set.push(route);
  }
  return { set, remove, taken };
}

function inPlace(
  wanted: TunnelRoute,
  present: RouteInfo | undefined,
  devices: ReadonlyMap<TunnelDevice, number>,
): boolean {
  if (present === undefined) return false;
  if (wanted.kind === 'blackhole') return present.type === 'blackhole';
  if (present.gateway !== wanted.gateway) return false;
  const { interfaceIndex } = present;
  if (wanted.kind === 'tunnel') return interfaceIndex === devices.get(wanted.device);
  return ![...devices.values()].some(index => index === interfaceIndex);
}
