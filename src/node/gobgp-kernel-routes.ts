import type { KernelRoutes } from '../bgp/index.js';
import type { HostNetwork, RouteInfo } from '../netlink/index.js';

/** RTPROT_BGP: routes that the agent writes for a BGP daemon which writes none itself. */
const GOBGP_ROUTES = 186;

/** The same that BIRD gives its routes: those of workloads and tunnels come first. */
const METRIC = 32;
const TABLE_MAIN = 254;

/** The kernel's routes of the backend GoBGP. */
export function gobgpKernelRoutes(network: HostNetwork): KernelRoutes {
  const request = (destination: string, gateway: string | undefined) => ({
    destination,
    protocol: GOBGP_ROUTES,
    metric: METRIC,
    ...(gateway === undefined ? ({ type: 'blackhole' } as const) : { gateway }),
  });
  return {
    list: () =>
      new Map(
        network
          .routes()
          .filter(isOurs)
          .map(({ destination, gateway }) => [destination, gateway]),
      ),
    set: (destination, gateway) => {
      network.replaceRoute(request(destination, gateway));
    },
    remove: (destination, gateway) => {
      network.deleteRoute(request(destination, gateway));
    },
  };
}

function isOurs({ protocol, table, metric }: RouteInfo): boolean {
  return protocol === GOBGP_ROUTES && table === TABLE_MAIN && metric === METRIC;
}
