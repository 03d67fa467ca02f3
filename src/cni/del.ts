import { contains, parseCidr, parseIp } from '../net/index.js';
import type { ResourceOf } from '../resources/index.js';
import { addressSource } from './addresses.js';
import type { Operation } from './addresses.js';
import { handleOf, hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import type { AttachmentRecord } from './attachment-records.js';
import { cutLink } from './detach.js';
import { endpointIdentity, endpointRemoval } from './endpoint.js';
import type { CniParts } from './parts.js';

type Endpoint = ResourceOf<'workloadEndpoint'>;

/** Takes work that is done after the DEL is answered, whatever the answer is. */
export type Later = (work: () => Promise<void>) => void;

/**
 * DEL: stops the traffic first, then removes the endpoint, then gives back the addresses. What is not there
 * is no failure, so it may come any number of times, without a namespace, and for what never was. The link,
 * over which the kernel takes its time, is removed later; a crash before that leaves a record, and so does an
 * IPAM plugin that does not take its addresses back.
 */
export async function del(parts: CniParts, operation: Operation, later: Later): Promise<void> {
  const { records, network, client, log } = parts;
  const { attachment, config } = operation;
  const record = records.read(attachment);
  if (record !== undefined && record.state !== 'deleting') records.write({ ...record, state: 'deleting' });
  const endpoint = await findEndpoint(parts, attachment);
  const hostName = hostInterfaceOf(attachment);
  if (!(await isSuperseded(parts, { operation, endpoint, record }))) {
    const index = cutLink(network, hostName);
    if (index !== undefined) later(async () => network.deleteLink(index));
    if (endpoint !== undefined) await client.write([endpointRemoval(endpoint)]);
  }
  await addressSource(parts, config).giveBack(operation);
  await parts.flush();
  later(async () => {
    records.remove(attachment);
    log.debug('an interface is removed', { container: attachment.containerId, interface: hostName });
    return Promise.resolve();
  });
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
  { allocator, records }: Pick<CniParts, 'allocator' | 'records'>,
  of: {
    readonly operation: Operation;
    readonly endpoint: Endpoint | undefined;
    readonly record: AttachmentRecord | undefined;
  },
): Promise<boolean> {
  const { attachment, config } = of.operation;
  if (attachment.orchestrator !== 'k8s') return false;
  const networks = (of.endpoint?.spec.ipNetworks ?? []).map(parseCidr).filter(cidr => cidr !== undefined);
  if (networks.length === 0) return await isTakenOver(records, attachment);
  const held = [
    ...(of.record?.addresses ?? []),
    ...(await allocator.addressesOf(handleOf(config.name, attachment))),
  ];
  const own = held.map(parseIp).filter(ip => ip !== undefined);
  return !networks.some(cidr => own.some(ip => contains(cidr, ip)));
}

/** Whether another container of this host has, or is getting, the link. */
async function isTakenOver(records: CniParts['records'], attachment: Attachment): Promise<boolean> {
  const hostName = hostInterfaceOf(attachment);
  return records
    .list()
    .some(
      record =>
        record.hostName === hostName &&
        record.request.containerId !== attachment.containerId &&
        record.state !== 'deleting',
    );
}
