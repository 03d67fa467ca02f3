import type { Logger } from '../base/index.js';
import type { TunnelDevice } from '../dataplane/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { Allocator } from '../ipam/index.js';
import { contains, parseCidr, parseIp } from '../net/index.js';
import type { Cidr, IpVersion } from '../net/index.js';

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

interface Kept {
  /** felix setting of the node that tells everybody the address */
  readonly setting: string;
  /** what the address is held under, before the node's name */
  readonly handle: string;
  /** attribute `type` of the address */
  readonly type: string;
  readonly version: IpVersion;
}

/** How the datastore keeps the address of each device: the names are those of all implementations of Calico. */
const kept: { readonly [Device in TunnelDevice]: Kept } = {
  tunl0: {
    setting: 'IpInIpTunnelAddr',
    handle: 'ipip-tunnel-addr-',
    type: 'ipipTunnelAddress',
    version: 4,
  },
  'vxlan.calico': {
    setting: 'IPv4VXLANTunnelAddr',
    handle: 'vxlan-tunnel-addr-',
    type: 'vxlanTunnelAddress',
    version: 4,
  },
  'vxlan-v6.calico': {
    setting: 'IPv6VXLANTunnelAddr',
    handle: 'vxlan-v6-tunnel-addr-',
    type: 'vxlanV6TunnelAddress',
    version: 6,
  },
};

/**
 * Makes sure that this node has exactly one address out of the pools for its end of a tunnel, held under a
 * handle of its own so that nobody else can get it, and that the datastore tells it; without pools, that it has
 * none. Returns the address. Fails as an assignment does, for one that is `exhausted`.
 */
export async function ensureTunnelAddress(
  parts: TunnelAddressParts,
  device: TunnelDevice,
  pools: readonly AddressPool[],
): Promise<string | undefined> {
  const { client, nodeName } = parts;
  const setting = { component: 'felix', node: nodeName, name: kept[device].setting } as const;
  const told = await client.getSetting(setting);
  const address = await settle(parts, { device, pools, told });
  if (told !== address) await client.setSetting(setting, address);
  return address;
}

interface Wish {
  readonly device: TunnelDevice;
  readonly pools: readonly AddressPool[];
  /** what the datastore tells at the moment */
  readonly told: string | undefined;
}

async function settle(
  { allocator, nodeName, log }: TunnelAddressParts,
  { device, pools, told }: Wish,
): Promise<string | undefined> {
  const { type, version } = kept[device];
  const handle = `${kept[device].handle}${nodeName}`;
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
    attributes: { node: nodeName, type },
    count: version === 4 ? { 4: 1, 6: 0 } : { 4: 0, 6: 1 },
    pools: open,
  });
  log.info('address for a tunnel assigned', { device, address: addresses[0] });
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
