import { isCalicoError } from '../base/index.js';
import type { HostNetwork } from '../netlink/index.js';

/** Takes the host's end down: from now on nothing passes. Returns its index; undefined when it is gone. */
export function cutLink(network: HostNetwork, hostName: string): number | undefined {
  const link = network.linkByName(hostName);
  if (link === undefined) return undefined;
  try {
    network.setLinkDown(link.index);
    return link.index;
  } catch (error) {
    // It went with its namespace in between.
    if (isCalicoError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Takes the host's end down, at once, and removes the pair; a link that is gone is fine. */
export async function detachLink(network: HostNetwork, hostName: string): Promise<void> {
  const index = cutLink(network, hostName);
  if (index !== undefined) await network.deleteLink(index);
}
