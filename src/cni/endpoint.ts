import type { ResourceWrite } from '../datastore/index.js';
import { parseResource } from '../resources/index.js';
import type { Metadata, Resource, ResourceOf } from '../resources/index.js';
import { hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { CniError, cniCode } from './errors.js';
import type { NetworkConfig } from './netconf.js';
import { hostNetworkOf } from './result.js';

/** What names the endpoint of an attachment. */
export function endpointIdentity(
  node: string,
  { orchestrator, workload, ifName }: Attachment,
): Pick<Metadata<'workloadEndpoint'>, 'node' | 'orchestrator' | 'workload' | 'name'> {
  return { node, orchestrator, workload, name: ifName };
}

/** The endpoint of an attachment, and the profile it needs where nobody else makes profiles. */
export function endpointWrites(options: {
  readonly node: string;
  readonly attachment: Attachment;
  readonly config: NetworkConfig;
  readonly addresses: readonly string[];
  readonly mac: string;
}): readonly ResourceWrite[] {
  const { node, attachment, config, addresses, mac } = options;
  const endpoint = checked({
    apiVersion: 'v1',
    kind: 'workloadEndpoint',
    metadata: { ...endpointIdentity(node, attachment), labels: config.labels },
    spec: {
      interfaceName: hostInterfaceOf(attachment),
      ipNetworks: addresses.map(hostNetworkOf),
      mac,
      profiles: [config.name],
    },
  });
  const write: ResourceWrite = { verb: 'apply', resource: endpoint };
  // One that exists is left as the operator wants it.
  const profile: ResourceWrite = { verb: 'create', resource: networkProfile(config.name), tolerant: true };
  return config.policyType === '' ? [profile, write] : [write];
}

/** The delete of an endpoint; one that is gone already is fine. */
export function endpointRemoval(endpoint: ResourceOf<'workloadEndpoint'>): ResourceWrite {
  return { verb: 'delete', resource: endpoint, tolerant: true };
}

/** Members of a network talk with each other and with everybody they call. */
function networkProfile(name: string): Resource {
  return checked({
    apiVersion: 'v1',
    kind: 'profile',
    metadata: { name, tags: [name] },
    spec: { ingress: [{ action: 'allow', source: { tag: name } }], egress: [{ action: 'allow' }] },
  });
}

/** The resource, with every field held against the rules of its kind: labels come from outside. */
function checked(resource: object): Resource {
  const parsed = parseResource(resource);
  if (parsed.ok) return parsed.resource;
  const problems = parsed.problems.map(
    ({ path, value, expected }) => `${path} is ${value}; expected ${expected}`,
  );
  throw new CniError(cniCode.badConfiguration, `endpoint: ${problems.join('; ')}`);
}
