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
  await removeLink(network, link.index);
}

/**
 * Removes a link. The kernel gives up without an answer when a signal arrives meanwhile, and the end of any
 * child process is one: so it is asked again.
 */
export async function removeLink(network: HostNetwork, index: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await network.deleteLink(index);
      return;
    } catch (error) {
      if (tries === 5 || !isCalicoError(error, 'unavailable')) throw error;
    }
  }
}
