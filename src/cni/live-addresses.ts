import { isCalicoError } from '../base/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { AttachmentRecords } from './attachment-records.js';
import { allAddressesInUse } from './routes-in-use.js';

/**
 * Addresses (canonical) that are in use on this host as the kernel sees it: the host's own, those with a route
 * to a local interface, and those that the containers of recorded attachments have.
 */
export async function liveAddresses(
  network: HostNetwork,
  records: AttachmentRecords,
): Promise<ReadonlySet<string>> {
  const live = new Set(allAddressesInUse(network));
  for (const { request, addresses } of records.list()) {
    const own = addressesIn(network, request.netns);
    // A namespace that cannot be looked into may have them still; one that is gone has none.
    for (const address of own ?? addresses) live.add(address);
  }
  return live;
}

/** Addresses in a namespace: none when it is gone, undefined when it cannot be looked into. */
export function addressesIn(network: HostNetwork, netns: string): readonly string[] | undefined {
  try {
    const container = network.enter(netns);
    try {
      return container.addresses().map(({ address }) => address.replace(/\/\d+$/, ''));
    } finally {
      container.close();
    }
  } catch (error) {
    return isCalicoError(error, 'not-found') ? [] : undefined;
  }
}
