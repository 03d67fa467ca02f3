import { toJson } from '../resources/index.js';
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

/** The resource as text that is equal for equal resources, whatever the order in which they were written. */
export function fingerprint(resource: Resource): string {
  return JSON.stringify(sorted(toJson(resource)));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
