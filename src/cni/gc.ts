import { messageOf } from '../base/index.js';
import type { Assignment } from '../ipam/index.js';
import type { Operation } from './addresses.js';
import { ownAddresses } from './addresses.js';
import { handleOf, parseAttachment } from './attachment.js';
import { detachLink } from './detach.js';
import { CniError, cniCode } from './errors.js';
import { ownIpam } from './ipam-config.js';
import { ipamPlugin } from './ipam-plugin.js';
import { parseNetworkConfig } from './netconf.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import type { CniRequest } from './protocol.js';

/** Carries out the DEL of one attachment. */
export type Delete = (operation: Operation) => Promise<void>;

interface Collection {
  readonly parts: CniParts;
  readonly request: CniRequest;
  readonly config: NetworkConfig;
  /** from now on it is the failure of one item, and the others are done all the same */
  readonly attempt: (what: string, work: () => Promise<unknown>) => Promise<void>;
}

/**
 * GC: releases all that this host has of the network and that is not among the valid attachments: by its
 * records, by the addresses it holds, by its endpoints, and by links that belong to nothing. One failure does
 * not stop the rest; all of them are told in the end.
 */
export async function collectGarbage(
  parts: CniParts,
  of: { readonly request: CniRequest; readonly config: NetworkConfig; readonly remove: Delete },
): Promise<void> {
  const { request, config, remove } = of;
  const failures: string[] = [];
  const attempt: Collection['attempt'] = async (what, work) => {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
    }
  };
  const collection = { parts, request, config, attempt };
  if (request.program === 'calico-ipam') {
    await collectAddresses(collection, async operation => ownAddresses(parts).giveBack(operation));
  } else {
    await collectRecords(collection, remove);
    if (config.ipam.type === ownIpam) await collectAddresses(collection, remove);
    else
      await attempt(`IPAM plugin ${config.ipam.type}`, async () =>
        ipamPlugin(config.ipam.type).runIfKnown(request, 'GC'),
      );
    await collectEndpoints(collection, remove);
    await collectLinks(collection);
  }
  if (failures.length > 0) throw new CniError(cniCode.generic, `GC: ${failures.join('; ')}`);
}

function isValid({ config }: Collection, containerId: string, ifName: string): boolean {
  return config.validAttachments.has(`${containerId}/${ifName}`);
}

/** A DEL of an attachment of which only the name is known. */
function operationOf(
  { request, config }: Collection,
  name: Partial<Pick<CniRequest, 'containerId' | 'ifName' | 'args'>>,
): Operation {
  const del: CniRequest = { ...request, netns: '', args: '', ...name, command: 'DEL' };
  return { request: del, attachment: parseAttachment(del), config };
}

async function collectRecords(collection: Collection, remove: Delete): Promise<void> {
  const { parts, config, attempt } = collection;
  for (const { request, state } of parts.records.list()) {
    const { containerId, ifName } = request;
    // What is being added now is not in a list that was made before.
    if (state === 'adding' || isValid(collection, containerId, ifName)) continue;
    await attempt(`${containerId}/${ifName}`, async () => {
      const recorded = parseNetworkConfig(request.stdin);
      if (recorded.name !== config.name) return;
      const del: CniRequest = { ...request, command: 'DEL' };
      await remove({ request: del, attachment: parseAttachment(del), config: recorded });
    });
  }
}

/** Addresses that say for which container and interface of this network they are. */
async function collectAddresses(collection: Collection, remove: Delete): Promise<void> {
  const { parts, request, config, attempt } = collection;
  const isIpamOnly = request.program === 'calico-ipam';
  const records = parts.records.list();
  const isRecorded = (id: string, ifName: string): boolean =>
    records.some(({ request: each }) => each.containerId === id && each.ifName === ifName);
  for (const { handle, attributes } of await parts.allocator.assignmentsOn(parts.node)) {
    const { containerid: containerId, interface: ifName } = attributes;
    if (containerId === undefined || ifName === undefined || isValid(collection, containerId, ifName))
      continue;
    if (!isIpamOnly && (attributes['plugin'] !== undefined || isRecorded(containerId, ifName))) continue;
    await attempt(`${containerId}/${ifName}`, async () => {
      const operation = operationOf(collection, { containerId, ifName, args: podArgs(attributes) });
      if (handle === handleOf(config.name, operation.attachment)) await remove(operation);
    });
  }
}

/** CNI_ARGS that name the pod of an assignment, as Kubernetes sends them; empty when there is none. */
export function podArgs({ pod, namespace }: Assignment['attributes']): string {
  return pod === undefined || namespace === undefined
    ? ''
    : `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${pod}`;
}

/** Endpoints of containers that nothing else is left of. Those of pods do not say of which sandbox they are. */
async function collectEndpoints(collection: Collection, remove: Delete): Promise<void> {
  const { parts, config, attempt } = collection;
  const records = parts.records.list();
  const own = { node: parts.node, orchestrator: 'cni' };
  for (const { metadata, spec } of await parts.client.list('workloadEndpoint', own)) {
    const { workload: containerId, name: ifName } = metadata;
    if (spec.profiles?.includes(config.name) !== true || isValid(collection, containerId, ifName)) continue;
    if (records.some(({ hostName }) => hostName === spec.interfaceName)) continue;
    await attempt(`${containerId}/${ifName}`, async () => {
      await remove(operationOf(collection, { containerId, ifName }));
    });
  }
}

/** Links of the form that ADD gives them, without record and without endpoint. */
async function collectLinks({ parts, attempt }: Collection): Promise<void> {
  const { network, client, node, records } = parts;
  const links = network
    .links()
    .filter(({ name, kind }) => kind === 'veth' && /^cali[0-9a-f]{11}$/.test(name));
  if (links.length === 0) return;
  const used = new Set([
    ...records.list().map(({ hostName }) => hostName),
    ...(await client.list('workloadEndpoint', { node })).map(({ spec }) => spec.interfaceName),
  ]);
  for (const { name } of links.filter(link => !used.has(link.name))) {
    await attempt(name, async () => detachLink(network, name));
  }
}
