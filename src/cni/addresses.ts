import { formatIp, parseIp } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import { handleOf, hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { CniError, asAddressError, cniCode } from './errors.js';
import type { IpamAnswer } from './ipam-answer.js';
import { ownIpam } from './ipam-config.js';
import { ipamPlugin } from './ipam-plugin.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import type { CniRequest } from './protocol.js';
import { addressesInUse } from './routes-in-use.js';

/** A request with what it says. */
export interface Operation {
  readonly request: CniRequest;
  readonly attachment: Attachment;
  readonly config: NetworkConfig;
}

/** Where addresses come from: the allocator of the agent, or the program of another IPAM plugin. */
export interface AddressSource {
  obtain(operation: Operation): Promise<IpamAnswer>;
  /** Gives back all that the interface holds; nothing to give back is fine. */
  giveBack(operation: Operation): Promise<void>;
  /** Fails unless these addresses, or any when none are given, are assigned to the interface. */
  check(operation: Operation, addresses: readonly string[]): Promise<void>;
  /** Fails when an ADD would get no address. */
  expectReady(of: Omit<Operation, 'attachment'>): Promise<void>;
}

export function addressSource(parts: CniParts, config: NetworkConfig): AddressSource {
  return config.ipam.type === ownIpam ? ownAddresses(parts) : foreignAddresses(config.ipam.type);
}

function foreignAddresses(type: string): AddressSource {
  const plugin = ipamPlugin(type);
  return {
    obtain: async ({ request }) => await plugin.add(request),
    giveBack: async ({ request }) => {
      await plugin.del(request);
    },
    check: async ({ request }) => {
      await plugin.check(request);
    },
    expectReady: async ({ request }) => {
      await plugin.runIfKnown(request, 'STATUS');
    },
  };
}

/** The addresses of `calico-ipam`, without starting a program. */
export function ownAddresses(parts: CniParts): AddressSource {
  const { allocator, node } = parts;
  return {
    obtain: async operation => {
      try {
        return { addresses: await obtain(parts, operation), dns: undefined };
      } catch (error) {
        throw asAddressError(error);
      }
    },
    giveBack: async ({ attachment, config }) => {
      // What Calico 2.0 assigned to the container, or a repair did; that of a pod may be the next sandbox's.
      const { orchestrator, ifName, workload } = attachment;
      const former = orchestrator === 'cni' && ifName === 'eth0' ? [workload] : [];
      const handles = [handleOf(config.name, attachment), ...former];
      await Promise.all(handles.map(async handle => allocator.releaseByHandle(handle)));
    },
    check: async ({ attachment, config }, addresses) => {
      const held = await allocator.addressesOf(handleOf(config.name, attachment));
      const missing = addresses.filter(address => !held.includes(address));
      if (held.length > 0 && missing.length === 0) return;
      const what = held.length === 0 ? 'no address is' : `${missing.join(', ')} is not`;
      throw new CniError(cniCode.generic, `${what} assigned to ${attachment.workload}`);
    },
    expectReady: async ({ config }) => {
      const { count, pools } = config.ipam;
      await allocator.expectFree({ node, count, ...(pools === undefined ? {} : { pools }) });
    },
  };
}

/**
 * Takes the addresses that the configuration asks for (canonical, version 4 first). What the interface has
 * already, from an ADD that a crash cut off, is kept.
 */
async function obtain(parts: CniParts, operation: Operation): Promise<readonly string[]> {
  const { allocator } = parts;
  const { attachment, config } = operation;
  const handle = handleOf(config.name, attachment);
  const wanted = wantedAddresses(operation);
  const held = await allocator.addressesOf(handle);
  if (suffices(held, wanted, config)) return held;
  if (held.length > 0) await allocator.releaseByHandle(handle);
  return await assign(parts, operation, wanted);
}

async function assign(
  parts: CniParts,
  operation: Operation,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const { allocator, node, clock, network } = parts;
  const { attachment, config } = operation;
  const attributes = attributesOf(operation, node, new Date(clock.now()));
  const request = { node, handle: handleOf(config.name, attachment), attributes };
  const inUse = addressesInUse(network, hostInterfaceOf(attachment));
  if (wanted.length > 0) {
    await expectUnused(parts, wanted.filter(inUse));
    for (const address of wanted) await allocator.assignAddress({ ...request, address });
    return wanted;
  }
  const { count, pools } = config.ipam;
  const from = pools === undefined ? {} : { pools };
  return (await allocator.assign({ ...request, count, ...from, avoid: inUse })).addresses;
}

/** An address that has a route to another interface: taken over from a dead endpoint, but not from a live one. */
async function expectUnused({ client, node }: CniParts, inUse: readonly string[]): Promise<void> {
  if (inUse.length === 0) return;
  const networks = new Set(
    (await client.list('workloadEndpoint', { node })).flatMap(({ spec }) => spec.ipNetworks ?? []),
  );
  const alive = inUse.find(address => networks.has(`${address}/32`) || networks.has(`${address}/128`));
  if (alive !== undefined)
    throw new CniError(cniCode.addressInUse, `${alive} is in use by another endpoint of this host`);
}

/** Canonical, version 4 first; `IP` of CNI_ARGS goes before what the configuration says. */
function wantedAddresses({ attachment, config }: Operation): readonly string[] {
  const byVersion = new Map<IpVersion, Ip>(config.wantedAddresses.map(ip => [ip.version, ip]));
  if (attachment.wantedAddress !== undefined)
    byVersion.set(attachment.wantedAddress.version, attachment.wantedAddress);
  return [...byVersion.values()].sort((a, b) => a.version - b.version).map(formatIp);
}

function suffices(
  held: readonly string[],
  wanted: readonly string[],
  { ipam: { count } }: NetworkConfig,
): boolean {
  if (wanted.length > 0) return held.length === wanted.length && wanted.every(each => held.includes(each));
  const holds = (version: 4 | 6): number => held.filter(each => parseIp(each)?.version === version).length;
  return holds(4) === count[4] && holds(6) === count[6];
}

/** Who has the address, for `ipam show` and for clean-up, under the names that Calico uses. */
function attributesOf(
  { request, attachment, config }: Operation,
  node: string,
  now: Date,
): Readonly<Record<string, string>> {
  const { containerId, ifName, pod } = attachment;
  return {
    node,
    containerid: containerId,
    interface: ifName,
    timestamp: now.toISOString(),
    ...(pod === undefined ? {} : { pod: pod.name, namespace: pod.namespace }),
    // Another network plugin makes no endpoint, so that its absence is no sign of a leak.
    ...(request.program === 'calico-ipam' && config.type !== 'calico' ? { plugin: config.type } : {}),
  };
}
