import type { EndpointId } from '../../policy/index.js';
import type { Claims, Workload } from './claims.js';
import type { Observed } from './observed.js';

/** Whether an endpoint has what it needs on this host, and if not, why. */
export type EndpointState =
  | { readonly state: 'up' }
  | { readonly state: 'down' | 'error'; readonly reason: string };

/** What went wrong at the last attempt, by destination or interface name. */
export type Failures = ReadonlyMap<string, string>;

export interface StateSources {
  readonly claims: Claims;
  readonly observed: Observed;
  readonly failures: Failures;
}

/** The state of one workload endpoint; the first thing that is wrong wins. */
export function endpointState(
  { claims, observed, failures }: StateSources,
  workload: Workload,
): EndpointState {
  const { interfaceName } = workload;
  if (!claims.ownsInterface(interfaceName)) {
    return { state: 'error', reason: `interface ${interfaceName} is not one that workloads may have` };
  }
  if (!workload.adminUp) return { state: 'down', reason: 'switched off' };
  const destinations = claims.destinationsOf(workload);
  for (const destination of destinations) {
    const holder: EndpointId | undefined = claims.holder(destination)?.id;
    if (holder !== undefined && holder !== workload.id) {
      return { state: 'error', reason: `${destination} belongs to endpoint ${holder}` };
    }
  }
  for (const key of [interfaceName, ...destinations]) {
    const failure = failures.get(key);
    if (failure !== undefined) return { state: 'error', reason: failure };
  }
  const link = observed.link(interfaceName);
  if (link === undefined) return { state: 'down', reason: `there is no interface ${interfaceName}` };
  if (!link.up) return { state: 'down', reason: `interface ${interfaceName} is down` };
  if (!link.running) return { state: 'down', reason: `the other end of interface ${interfaceName} is down` };
  return { state: 'up' };
}
