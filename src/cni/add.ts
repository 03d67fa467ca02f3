import { isCalicoError, messageOf } from '../base/index.js';
import type { ResourceWrite, WriteOutcome } from '../datastore/index.js';
import { WORKLOAD_HOST_MAC } from '../net/index.js';
import type { LinkInfo } from '../netlink/index.js';
import { workloadId } from '../policy/index.js';
import { addressSource } from './addresses.js';
import type { Operation } from './addresses.js';
import { attachLink, containerRoutes } from './attach.js';
import { hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { recordOf } from './attachment-records.js';
import { findEndpoint } from './del.js';
import { detachLink } from './detach.js';
import { endpointIdentity, endpointRemoval, endpointWrites } from './endpoint.js';
import { CniError, asCniError, cniCode } from './errors.js';
import type { CniParts } from './parts.js';
import type { CniResult } from './result.js';

/** How long the dataplane may take for a new endpoint; a runtime waits minutes, other pods wait behind it. */
const programLimitMs = 30_000;

/** Pauses before the endpoint is written again when the datastore did not answer. */
const writePausesMs = [100, 400, 1500];

/** What to do, last first, when a later step fails. */
type Undo = (() => Promise<unknown>)[];

/**
 * ADD: addresses, link, endpoint, and the answer when policy is in the kernel. Fails closed: what is not
 * protected is taken away again, and nothing is left behind. The same ADD again makes the link anew and keeps
 * the addresses.
 */
export async function add(parts: CniParts, operation: Operation): Promise<CniResult> {
  const undo: Undo = [];
  try {
    return await addSteps(parts, operation, undo);
  } catch (error) {
    await undoAll(parts, operation, undo);
    throw error;
  }
}

/** When a step fails the record stays, and whoever finds it tries again (DEL, GC, the next start). */
async function undoAll(parts: CniParts, operation: Operation, undo: Undo): Promise<void> {
  const { log, records } = parts;
  const { attachment, request } = operation;
  let isClean = true;
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      isClean = false;
      const fields = { container: attachment.containerId, error: messageOf(error) };
      log.error('a failed ADD could not be undone completely', fields);
    }
  }
  if (isClean) records.remove(attachment);
  else records.write(recordOf('deleting', { attachment, request, addresses: [] }));
}

/** Each step is preceded by its undoing: what fails may have been done all the same. */
async function addSteps(parts: CniParts, operation: Operation, undo: Undo): Promise<CniResult> {
  const { network, client, node, records } = parts;
  const { request, attachment, config } = operation;
  const source = addressSource(parts, config);
  const remember = async (state: 'adding' | 'added', addresses: readonly string[]): Promise<void> =>
    records.write(recordOf(state, { attachment, request, addresses }));

  await remember('adding', []);
  undo.push(async () => source.giveBack(operation));
  const { addresses, dns } = await source.obtain(operation);

  const hostName = hostInterfaceOf(attachment);
  undo.push(async () => detachLink(network, hostName));
  const container = await linkContainer(parts, operation, addresses);

  const writes = endpointWrites({ node, attachment, config, addresses, mac: container.mac });
  undo.push(async () => {
    const endpoint = await findEndpoint(parts, attachment);
    if (endpoint !== undefined) await client.write([endpointRemoval(endpoint)]);
  });
  const { revision } = await writePatiently(parts, writes);
  // The disk and the kernel side by side. What was committed before the endpoint is on the disk with it.
  const onDisk = parts.flush();
  onDisk.catch(() => undefined);
  await waitForPolicy(parts, attachment, revision);
  await onDisk;
  await remember('added', addresses);

  const { mac: containerMac, mtu, name: containerName } = container;
  const netns = attachment.netns ?? '';
  return {
    addresses,
    link: { hostName, hostMac: WORKLOAD_HOST_MAC, containerName, containerMac, mtu, netns },
    ...(dns === undefined ? {} : { dns }),
    ...(config.prevResult === undefined ? {} : { previous: config.prevResult }),
  };
}

/** Makes the link; what the kernel refuses has a code of its own. */
async function linkContainer(
  { network, log, defaultMtu }: CniParts,
  { attachment, config }: Operation,
  addresses: readonly string[],
): Promise<LinkInfo> {
  try {
    return await attachLink(network, {
      hostName: hostInterfaceOf(attachment),
      containerName: attachment.ifName,
      netns: attachment.netns ?? '',
      mtu: config.mtu ?? defaultMtu(),
      mac: attachment.wantedMac ?? config.wantedMac,
      allowIpForwarding: config.allowIpForwarding,
      addresses,
      routes: containerRoutes(config, addresses),
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

/** Writes the endpoint; a datastore that does not answer for a moment must not cost a container its start. */
async function writePatiently(
  { client, clock }: CniParts,
  writes: readonly ResourceWrite[],
): Promise<WriteOutcome> {
  for (const pause of writePausesMs) {
    try {
      return await client.write(writes);
    } catch (error) {
      if (!isCalicoError(error, 'unavailable')) throw error;
      await clock.sleep(pause);
    }
  }
  return await client.write(writes);
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
