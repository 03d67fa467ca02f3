import type { ResourceClient } from '../../../datastore/index.js';
import { emptyModel, modelChangeFromV1, modelOf } from '../../../policy/index.js';
import type { Model, ModelChange } from '../../../policy/index.js';
import { identify } from '../../../resources/index.js';

const kindsOfPolicy = ['workloadEndpoint', 'hostEndpoint', 'policy', 'profile'] as const;

/** All that decides over packets, as it stands in the datastore now. */
export async function loadModel(client: ResourceClient): Promise<Model> {
  const changes: ModelChange[] = [];
  for (const kind of kindsOfPolicy) {
    for (const resource of await client.list(kind)) {
      const change = modelChangeFromV1(kind, identify(resource), resource);
      if (change !== undefined) changes.push(change);
    }
  }
  const nodes = await client.list('node');
  const hosts = nodes.map(({ metadata, spec: { bgp } }): [string, readonly string[]] => [
    metadata.name,
    [bgp?.ipv4Address, bgp?.ipv6Address].filter(address => address !== undefined),
  ]);
  return modelOf(changes, { ...emptyModel, hosts: new Map(hosts) });
}
