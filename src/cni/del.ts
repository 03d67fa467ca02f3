import { contains, parseCidr, parseIp } from '../net/index.js';
import type { ResourceOf } from '../resources/index.js';
import { returnAddresses } from './addresses.js';
import { handleOf, hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { detachLink } from './detach.js';
import { endpointIdentity, endpointRemoval } from './endpoint.js';
import type { CniParts } from './parts.js';

type Endpoint = ResourceOf<'workloadEndpoint'>;

/**
 * DEL: stops the traffic first, then removes the endpoint, then gives back the addresses. What is not there
 * is no failure, so it may come any number of times, without a namespace, and for what never was.
 */
export async function del(parts: CniParts, attachment: Attachment, network: string): Promise<void> {
  const endpoint = await findEndpoint(parts, attachment);
  if (!(await isSuperseded(parts, { attachment, network, endpoint }))) {
    const link = detachLink(parts.network, hostInterfaceOf(attachment));
    const removal = endpoint === undefined ? undefined : parts.client.write([endpointRemoval(endpoint)]);
    await Promise.all([link, removal]);
  }
  await returnAddresses(parts.allocator, attachment, network);
}

/** The endpoint stored for an attachment. */
export async function findEndpoint(
  { client, node }: Pick<CniParts, 'client' | 'node'>,
  attachment: Attachment,
): Promise<Endpoint | undefined> {
  const [endpoint] = await client.list('workloadEndpoint', endpointIdentity(node, attachment));
  return endpoint;
}

/**
 * True when a newer sandbox of the pod has taken over link and endpoint, which carry the name of the pod: a
 * late DEL of the old one must leave them alone. The new one's addresses are not held by the old container.
 */
async function isSuperseded(
  { allocator }: Pick<CniParts, 'allocator'>,
  of: { readonly attachment: Attachment; readonly network: string; readonly endpoint: Endpoint | undefined },
): Promise<boolean> {
  const networks = (of.endpoint?.spec.ipNetworks ?? []).map(parseCidr).filter(cidr => cidr !== undefined);
  if (of.attachment.orchestrator !== 'k8s' || networks.length === 0) return false;
  const held = await allocator.addressesOf(handleOf(of.network, of.attachment));
  const own = held.map(parseIp).filter(ip => ip !== undefined);
  return !networks.some(cidr => own.some(ip => contains(cidr, ip)));
}
