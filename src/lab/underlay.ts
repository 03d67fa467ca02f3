import type { LabLink, LabPlan, LabRouter } from './plan.js';

/** A route of a router to a network that it is not on. */
export interface UnderlayRoute {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly via: { readonly ipv4: string; readonly ipv6: string };
}

interface Step {
  readonly router: LabRouter;
  /** the first router on the way; undefined at the start */
  readonly via: LabLink | undefined;
}

/** The routers on a network, with their link to it. */
function routersOn(plan: LabPlan, network: string): readonly { router: LabRouter; link: LabLink }[] {
  return plan.routers.flatMap(router =>
    router.links.filter(link => link.network === network).map(link => ({ router, link })),
  );
}

/** The shortest ways of a router, over other routers, to the networks that it is not on. */
export function underlayRoutes(plan: LabPlan, start: LabRouter): readonly UnderlayRoute[] {
  const reached = new Map<string, LabLink | undefined>();
  const visited = new Set([start]);
  const queue: Step[] = [{ router: start, via: undefined }];
  for (const { router, via } of queue) {
    for (const { network } of router.links) {
      if (reached.has(network)) continue;
      reached.set(network, via);
      for (const next of routersOn(plan, network)) {
        if (visited.has(next.router)) continue;
        visited.add(next.router);
        queue.push({ router: next.router, via: via ?? next.link });
      }
    }
  }
  return plan.networks.flatMap(({ name, ipv4, ipv6 }) => {
    const via = reached.get(name);
    return via === undefined ? [] : [{ ipv4, ipv6, via: { ipv4: via.ipv4, ipv6: via.ipv6 } }];
  });
}
