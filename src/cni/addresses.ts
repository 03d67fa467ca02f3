import { formatIp, parseIp } from '../net/index.js';
import type { Allocator } from '../ipam/index.js';
import { handleOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { asAddressError } from './errors.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';

type AddressParts = Pick<CniParts, 'node' | 'allocator' | 'clock'>;

/**
 * Takes the addresses that the configuration asks for (canonical, version 4 first). What the interface has
 * already, from an ADD that a crash cut off, is kept.
 */
export async function obtainAddresses(
  parts: AddressParts,
  attachment: Attachment,
  config: NetworkConfig,
): Promise<readonly string[]> {
  try {
    const handle = handleOf(config.name, attachment);
    const held = await parts.allocator.addressesOf(handle);
    if (suffices(held, attachment, config)) return held;
    if (held.length > 0) await parts.allocator.releaseByHandle(handle);
    return await assign(parts, attachment, config);
  } catch (error) {
    throw asAddressError(error);
  }
}

async function assign(
  { allocator, node, clock }: AddressParts,
  attachment: Attachment,
  config: NetworkConfig,
): Promise<readonly string[]> {
  const attributes = attributesOf(attachment, node, new Date(clock.now()));
  const request = { node, handle: handleOf(config.name, attachment), attributes };
  if (attachment.wantedAddress !== undefined) {
    const address = formatIp(attachment.wantedAddress);
    await allocator.assignAddress({ ...request, address });
    return [address];
  }
  const pools = config.pools === undefined ? {} : { pools: config.pools };
  return (await allocator.assign({ ...request, count: config.count, ...pools })).addresses;
}

function suffices(held: readonly string[], { wantedAddress }: Attachment, { count }: NetworkConfig): boolean {
  if (wantedAddress !== undefined) return held.length === 1 && held[0] === formatIp(wantedAddress);
  const holds = (version: 4 | 6): number => held.filter(each => parseIp(each)?.version === version).length;
  return holds(4) === count[4] && holds(6) === count[6];
}

/** Who has the address, for `ipam show` and for clean-up, under the names that Calico uses. */
function attributesOf(attachment: Attachment, node: string, now: Date): Readonly<Record<string, string>> {
  const { containerId, ifName, pod } = attachment;
  return {
    node,
    containerid: containerId,
    interface: ifName,
    timestamp: now.toISOString(),
    ...(pod === undefined ? {} : { pod: pod.name, namespace: pod.namespace }),
  };
}

/** Gives back all that the interface holds; nothing to give back is fine. */
export async function returnAddresses(
  allocator: Allocator,
  attachment: Attachment,
  network: string,
): Promise<readonly string[]> {
  return await allocator.releaseByHandle(handleOf(network, attachment));
}
