import { layout } from './layout.js';

const node = layout('/calico/felix/v1/host/:node/status');
const lastReported = layout('/calico/felix/v1/host/:node/last_reported_status');
const hostEndpoint = layout('/calico/felix/v1/host/:node/endpoint/:name');
const workload = layout('/calico/felix/v1/host/:node/workload/:orchestrator/:workload/endpoint/:name');

/** Where an agent reports of itself: `current` is for as long as it lives, `last` stays. */
export function agentStatusKeys(name: string): { readonly current: string; readonly last: string } {
  return { current: node.key({ node: name }), last: lastReported.key({ node: name }) };
}

/** Where the status of one workload endpoint is reported. */
export function workloadStatusKey(endpoint: {
  readonly node: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly name: string;
}): string {
  return workload.key(endpoint);
}

/** Where the status of one host endpoint is reported. */
export function hostEndpointStatusKey(endpoint: { readonly node: string; readonly name: string }): string {
  return hostEndpoint.key(endpoint);
}

/** What the keys of all endpoints of a node begin with: those of workloads, and those of host endpoints. */
export function endpointStatusPrefixes(name: string): readonly string[] {
  return [workload.prefix({ node: name }), hostEndpoint.prefix({ node: name })];
}
