import { handleOf, hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { findEndpoint } from './del.js';
import { CniError, cniCode } from './errors.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import { hostNetworkOf } from './result.js';

/** CHECK: link, addresses and endpoint are there as ADD made them; fails with what is missing. */
export async function check(parts: CniParts, attachment: Attachment, config: NetworkConfig): Promise<void> {
  const problems: string[] = [];
  const hostName = hostInterfaceOf(attachment);
  if (parts.network.linkByName(hostName)?.up !== true)
    problems.push(`interface ${hostName} is missing or down`);
  const wanted = (await parts.allocator.addressesOf(handleOf(config.name, attachment))).map(hostNetworkOf);
  if (wanted.length === 0) problems.push('no address is assigned');
  const endpoint = await findEndpoint(parts, attachment);
  if (endpoint === undefined) problems.push('the workload endpoint is missing');
  problems.push(...containerProblems(parts, attachment, wanted));
  if (problems.length > 0) {
    throw new CniError(cniCode.generic, `${attachment.workload}: ${problems.join('; ')}`);
  }
}

function containerProblems(
  { network }: CniParts,
  { netns, ifName }: Attachment,
  wanted: readonly string[],
): readonly string[] {
  if (netns === undefined) return [];
  const container = network.enter(netns);
  try {
    const link = container.linkByName(ifName);
    if (link?.up !== true) return [`interface ${ifName} is missing or down in the container`];
    const own = container.addresses().filter(({ interfaceIndex }) => interfaceIndex === link.index);
    return wanted
      .filter(address => !own.some(each => each.address === address))
      .map(address => `address ${address} is missing on ${ifName}`);
  } finally {
    container.close();
  }
}
