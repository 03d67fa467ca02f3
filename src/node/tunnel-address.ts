import type { Logger } from '../base/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { Allocator } from '../ipam/index.js';
import { contains, parseCidr, parseIp } from '../net/index.js';
import type { Cidr } from '../net/index.js';

/** A pool whose packets are encapsulated, as the choice of an address needs it. */
export interface AddressPool {
  readonly cidr: string;
  /** gives out addresses; those given out before stay valid */
  readonly enabled: boolean;
}

export interface TunnelAddressParts {
  readonly nodeName: string;
  readonly allocator: Allocator;
  readonly client: ResourceClient;
  readonly log: Logger;
}

/**
 * Makes sure that this node has exactly one address out of the pools for its end of the tunnel, held under a
 * handle of its own so that nobody else can get it, and that the datastore tells it; without pools, that it has
 * none. Returns the address. Fails as an assignment does, for one that is `exhausted`.
 */
export async function ensureTunnelAddress(
  parts: TunnelAddressParts,
  pools: readonly AddressPool[],
): Promise<string | undefined> {
  const { client, nodeName } = parts;
  const setting = { component: 'felix', node: nodeName, name: 'IpInIpTunnelAddr' } as const;
  const told = await client.getSetting(setting);
  const address = await settle(parts, pools, told);
  if (told !== address) await client.setSetting(setting, address);
  return address;
}

async function settle(
  { allocator, nodeName, log }: TunnelAddressParts,
  pools: readonly AddressPool[],
  told: string | undefined,
): Promise<string | undefined> {
  const handle = `ipip-tunnel-addr-${nodeName}`;
  const ranges = pools.flatMap(({ cidr }) => parseCidr(cidr) ?? []);
  const held = await allocator.addressesOf(handle);
  const usable = held.filter(address => inside(ranges, address));
  const keep = usable.find(address => address === told) ?? usable[0];
  for (const address of held) {
    if (address !== keep) await allocator.releaseAddress(address);
  }
  if (keep !== undefined) return keep;
  if (told !== undefined) await releaseAnonymous(allocator, told);
  const open = pools.flatMap(({ cidr, enabled }) => (enabled ? (parseCidr(cidr) ?? []) : []));
  if (pools.length === 0) return undefined;
  const { addresses } = await allocator.assign({
    node: nodeName,
    handle,
    attributes: { node: nodeName, type: 'ipipTunnelAddress' },
    count: { 4: 1, 6: 0 },
    pools: open,
  });
  log.info('address for the tunnel device assigned', { address: addresses[0] });
  return addresses[0];
}

/** Older releases took the address without a handle: nobody can own it but the tunnel. */
async function releaseAnonymous(allocator: Allocator, address: string): Promise<void> {
  if (parseIp(address) === undefined) return;
  const assignment = await allocator.lookup(address);
  if (assignment !== undefined && assignment.handle === undefined) await allocator.releaseAddress(address);
}

function inside(ranges: readonly Cidr[], address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && ranges.some(range => contains(range, ip));
}
