import type { Kind, Metadata, Resource, Spec } from '../../../src/resources/index.js';

const smallest: { readonly [K in Kind]: Spec<K> } = {
  bgpPeer: { asNumber: 64512 },
  hostEndpoint: { interfaceName: 'eth0' },
  ipPool: {},
  node: {},
  policy: { selector: '' },
  profile: {},
  workloadEndpoint: { interfaceName: 'cali0' },
};

/** A resource with the smallest valid spec, or with the one that matters to the test. */
export function resource<K extends Kind>(
  kind: K,
  metadata: Metadata<K>,
  spec: Spec<K> = smallest[kind],
): Resource {
  // The parts are those of the kind; the compiler does not put a union together from a type parameter.
  return { apiVersion: 'v1', kind, metadata, spec } as Resource;
}

export const node = (name: string): Resource => resource('node', { name });
export const policy = (name: string, order?: number): Resource =>
  resource('policy', { name }, order === undefined ? { selector: '' } : { selector: '', order });
export const profile = (name: string): Resource => resource('profile', { name, tags: [name] });

export const endpoint = (nodeName: string, workload: string, orchestrator = 'cni', name = 'eth0'): Resource =>
  resource('workloadEndpoint', { node: nodeName, orchestrator, workload, name });
