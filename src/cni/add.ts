import { messageOf } from '../base/index.js';
import { WORKLOAD_HOST_MAC } from '../net/index.js';
import type { LinkInfo } from '../netlink/index.js';
import { workloadId } from '../policy/index.js';
import { obtainAddresses, returnAddresses } from './addresses.js';
import { attachLink } from './attach.js';
import { hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { findEndpoint } from './del.js';
import { detachLink } from './detach.js';
import { endpointIdentity, endpointRemoval, endpointWrites } from './endpoint.js';
import { CniError, asCniError, cniCode } from './errors.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import type { CniResult } from './result.js';

/** How long the dataplane may take for a new endpoint; a runtime waits minutes, other pods wait behind it. */
const programLimitMs = 30_000;

/** What to do, last first, when a later step fails. */
type Undo = (() => Promise<unknown>)[];

/**
 * ADD: addresses, link, endpoint, and the answer when policy is in the kernel. Fails closed: what is not
 * protected is taken away again, and nothing is left behind. The same ADD again makes the link anew and keeps
 * the addresses.
 */
export async function add(
  parts: CniParts,
  attachment: Attachment,
  config: NetworkConfig,
): Promise<CniResult> {
  const undo: Undo = [];
  try {
    return await addSteps(parts, { attachment, config, undo });
  } catch (error) {
    for (const step of undo.reverse()) {
      try {
        await step();
      } catch (failure) {
        // The runtime's DEL, which follows a failed ADD, tries again.
        const fields = { container: attachment.containerId, error: messageOf(failure) };
        parts.log.error('a failed ADD could not be undone completely', fields);
      }
    }
    throw error;
  }
}

async function addSteps(
  parts: CniParts,
  {
    attachment,
    config,
    undo,
  }: { readonly attachment: Attachment; readonly config: NetworkConfig; readonly undo: Undo },
): Promise<CniResult> {
  const { network, allocator, client, node } = parts;
  const addresses = await obtainAddresses(parts, attachment, config);
  undo.push(async () => returnAddresses(allocator, attachment, config.name));

  const container = await linkContainer(parts, { attachment, config, addresses });
  const hostName = hostInterfaceOf(attachment);
  undo.push(async () => detachLink(network, hostName));

  const writes = endpointWrites({ node, attachment, config, addresses, mac: container.mac });
  undo.push(async () => {
    const endpoint = await findEndpoint(parts, attachment);
    if (endpoint !== undefined) await client.write([endpointRemoval(endpoint)]);
  });
  const { revision } = await client.write(writes);
  await waitForPolicy(parts, attachment, revision);

  const { mac: containerMac, mtu, name: containerName } = container;
  const netns = attachment.netns ?? '';
  return {
    addresses,
    link: { hostName, hostMac: WORKLOAD_HOST_MAC, containerName, containerMac, mtu, netns },
  };
}

/** Makes the link; what the kernel refuses has a code of its own. */
async function linkContainer(
  { network, log }: CniParts,
  to: {
    readonly attachment: Attachment;
    readonly config: NetworkConfig;
    readonly addresses: readonly string[];
  },
): Promise<LinkInfo> {
  const { mtu, allowIpForwarding } = to.config;
  try {
    return await attachLink(network, {
      hostName: hostInterfaceOf(to.attachment),
      containerName: to.attachment.ifName,
      netns: to.attachment.netns ?? '',
      mtu,
      allowIpForwarding,
      addresses: to.addresses,
      onProblem: (setting, problem) => {
        log.warn('a setting of a workload interface could not be made', { setting, problem });
      },
    });
  } catch (error) {
    throw error instanceof CniError
      ? error
      : new CniError(cniCode.kernel, messageOf(error), { cause: error });
  }
}

async function waitForPolicy(parts: CniParts, attachment: Attachment, revision: number): Promise<void> {
  const id = workloadId(endpointIdentity(parts.node, attachment));
  const ending = new AbortController();
  const limit = parts.clock.sleep(programLimitMs, ending.signal).then(
    () => 'late' as const,
    () => 'stopped' as const,
  );
  try {
    const wait = parts.waitUntilProgrammed(id, revision, ending.signal);
    if ((await Promise.race([wait, limit])) !== 'late') return;
    // Nobody waits for it any more: when it is aborted it rejects.
    wait.catch(() => undefined);
  } catch (error) {
    throw asCniError(error, cniCode.tryAgainLater);
  } finally {
    ending.abort();
  }
  throw new CniError(
    cniCode.tryAgainLater,
    `the policy of the new endpoint was not in the kernel after ${String(programLimitMs / 1000)} s; ` +
      'the log of calico-node says why',
  );
}
