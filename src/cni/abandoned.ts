import type { Assignment, RepairCandidate } from '../ipam/index.js';
import { parseAttachment, hostInterfaceOf } from './attachment.js';
import type { AttachmentRecord } from './attachment-records.js';
import { podArgs } from './gc.js';
import type { CniHandler } from './handler.js';
import { ownIpam } from './ipam-config.js';
import { addressesIn } from './live-addresses.js';
import type { CniParts } from './parts.js';
import type { CniRequest } from './protocol.js';

export interface AbandonedParts extends Pick<CniParts, 'node' | 'allocator' | 'records' | 'network' | 'log'> {
  readonly handle: CniHandler;
}

/**
 * Attachments of this host whose container went without a DEL: one that its runtime left to itself, or all of a
 * host that was switched off. Neither the link nor, in the container's namespace, the address is there any more.
 * Mending is the DEL that nobody sent. Also those of which a DEL or a failed ADD left a part.
 */
export async function abandonedAttachments(parts: AbandonedParts): Promise<readonly RepairCandidate[]> {
  const recorded = parts.records.list();
  const ofRecords = recorded
    .filter(record => isAbandoned(parts, recorded, record))
    .map(({ request, state }) => ({ del: { ...request, command: 'DEL' }, state }));
  const known = new Set(recorded.map(({ request }) => nameOf(request)));
  const held = await parts.allocator.assignmentsOn(parts.node);
  const ofAddresses = held
    .flatMap(assignment => requestFor(assignment) ?? [])
    .filter(del => !known.has(nameOf(del)) && !hasLink(parts, recorded, del))
    .map(del => ({ del, state: 'unknown' }));
  return [...ofRecords, ...ofAddresses].map(({ del, state }) => ({
    id: `attachment ${nameOf(del)} ${state}`,
    mend: async () => await carryOut(parts, del),
  }));
}

async function carryOut({ handle, log }: AbandonedParts, del: CniRequest): Promise<readonly string[]> {
  const { exitCode, stdout } = await handle(del);
  if (exitCode === 0) return [`${nameOf(del)} is gone without a DEL: its endpoint and addresses are removed`];
  log.warn('an abandoned attachment could not be removed', { container: del.containerId, answer: stdout });
  return [];
}

function nameOf({ containerId, ifName }: CniRequest): string {
  return `${containerId}/${ifName}`;
}

function isAbandoned(
  parts: AbandonedParts,
  recorded: readonly AttachmentRecord[],
  { state, request, addresses }: AttachmentRecord,
): boolean {
  // No ADD or DEL takes as long as the repair waits.
  if (state !== 'added') return true;
  if (hasLink(parts, recorded, request)) return false;
  const present = addressesIn(parts.network, request.netns);
  return present !== undefined && !addresses.some(address => present.includes(address));
}

/** Whether the host's end is there, and not another container's: a new sandbox of a pod takes it over. */
function hasLink(
  { network }: AbandonedParts,
  recorded: readonly AttachmentRecord[],
  request: CniRequest,
): boolean {
  const hostName = hostInterfaceOf(parseAttachment({ ...request, command: 'DEL' }));
  if (network.linkByName(hostName) === undefined) return false;
  return !recorded.some(
    other => other.hostName === hostName && other.request.containerId !== request.containerId,
  );
}

/** The DEL of the container that holds an address; undefined when it is not one that `calico` attached. */
function requestFor({ handle = '', attributes }: Assignment): CniRequest | undefined {
  const { containerid: containerId, interface: ifName, plugin } = attributes;
  if (containerId === undefined || ifName === undefined || plugin !== undefined) return undefined;
  const end = ifName === 'eth0' ? `.${containerId}` : `.${containerId}.${ifName}`;
  if (!handle.endsWith(end)) return undefined;
  const name = handle.slice(0, -end.length);
  return {
    program: 'calico',
    command: 'DEL',
    containerId,
    netns: '',
    ifName,
    args: podArgs(attributes),
    path: '',
    stdin: JSON.stringify({ cniVersion: '1.0.0', name, type: 'calico', ipam: { type: ownIpam } }),
  };
}
