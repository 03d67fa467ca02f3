import { isCalicoError } from '../base/index.js';
import type { HostNetwork } from '../netlink/index.js';

/** Takes the host's end down, at once, and removes the pair; a link that is gone is fine. */
export async function detachLink(network: HostNetwork, hostName: string): Promise<void> {
  const link = network.linkByName(hostName);
  if (link === undefined) return;
  try {
    network.setLinkDown(link.index);
  } catch (error) {
    // It went with its namespace in between.
    if (!isCalicoError(error, 'not-found')) throw error;
  }
  await network.deleteLink(link.index);
}
