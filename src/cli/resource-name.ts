import type { Resource } from '../resources/index.js';

/** The identifiers of each kind in the order in which they make up its name. */
const parts = ['scope', 'node', 'orchestrator', 'workload', 'name', 'cidr', 'peerIP'] as const;

/** `policy/web`, `hostEndpoint/host1/eth0`: what `-o name` prints; unique among all resources. */
export function resourceName({ kind, metadata }: Pick<Resource, 'kind' | 'metadata'>): string {
  const given: Readonly<Record<string, unknown>> = metadata;
  const identifiers = parts
    .map(part => given[part])
    .filter(value => typeof value === 'string' && value !== '');
  return [kind, ...identifiers].join('/');
}
