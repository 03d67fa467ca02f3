import type { IpVersion } from '../../net/index.js';
import type { HostNetwork, LinkInfo } from '../../netlink/index.js';
import type { VxlanSettings } from './plan.js';
import { deviceProperties, TUNNEL_DEVICES, vxlanMac } from './tunnel-devices.js';
import type { TunnelDevice } from './tunnel-devices.js';

/** How a device has to be. */
export interface DeviceSettings {
  readonly nodeName: string;
  /** of this host, in outer packets */
  readonly local: string;
  /** of this host, on the device; `undefined`: none yet */
  readonly address: string | undefined;
  readonly mtu: number;
  readonly vxlan: VxlanSettings;
}

/** Of an IPv6 address that counts on its link only. */
const SCOPE_LINK = 253;

/** The largest inner packet that fits into the link which carries the outer ones. */
export function tunnelMtu(device: TunnelDevice, uplink: LinkInfo | undefined): number {
  const { overhead, fallbackMtu } = deviceProperties[device];
  return uplink === undefined || uplink.mtu <= overhead ? fallbackMtu : uplink.mtu - overhead;
}

/**
 * Makes the device, with exactly this address of its IP version, and up. What has the name of the IP-in-IP device
 * is taken as it: the kernel's own one, or one that an operator has made; a VXLAN device of ours has exactly our
 * settings. Fails with `unsupported` where the kernel has none.
 */
export function ensureDevice(
  network: HostNetwork,
  device: TunnelDevice,
  { nodeName, local, address, mtu, vxlan }: DeviceSettings,
): LinkInfo {
  const { version, encapsulation } = deviceProperties[device];
  const { vni, port } = vxlan;
  const link =
    encapsulation === 'vxlan'
      ? network.ensureVxlan({ name: device, vni, port, local, mac: vxlanMac(nodeName), mtu })
      : (network.linkByName(device) ?? network.createIpip(device));
  if (link.mtu !== mtu) network.setLinkMtu(link.index, mtu);
  // IPv6 addresses do not survive a device that is down, and its settings come with the first one.
  if (version === 6 && !link.up) network.setLinkUp(link.index);
  setOnlyAddress(network, link.index, {
    version,
    wanted: address === undefined ? undefined : withLength(device, address),
  });
  if (version === 4 && !link.up) network.setLinkUp(link.index);
  return link;
}

/**
 * Takes what is ours of a device that no pool needs: our VXLAN device goes, the IP-in-IP device only loses our
 * address, for the kernel's own one cannot be deleted.
 */
export function releaseDevice(network: HostNetwork, device: TunnelDevice, address: string | undefined): void {
  const link = network.linkByName(device);
  if (link === undefined) return;
  if (deviceProperties[device].encapsulation === 'ipip') {
    if (address !== undefined) network.deleteAddress(link.index, withLength(device, address));
  } else if (link.kind === 'vxlan') network.deleteLinkNow(link.index);
}

function withLength(device: TunnelDevice, address: string): string {
  return `${address}/${deviceProperties[device].version === 4 ? '32' : '128'}`;
}

function setOnlyAddress(
  network: HostNetwork,
  index: number,
  { version, wanted }: { readonly version: IpVersion; readonly wanted: string | undefined },
): void {
  const present = network
    .addresses()
    .filter(({ interfaceIndex, scope }) => interfaceIndex === index && scope !== SCOPE_LINK)
    .map(({ address }) => address)
    .filter(address => address.includes(':') === (version === 6));
  if (wanted !== undefined && !present.includes(wanted)) network.addAddress(index, wanted);
  for (const other of present) {
    if (other !== wanted) network.deleteAddress(index, other);
  }
}

/**
 * For uninstalling: removes our tunnel devices, of which the kernel's own IP-in-IP one is left, down and without
 * our kind of address. Those of `used` only, and those that nobody but us makes. Returns their names.
 */
export async function removeDevices(
  network: HostNetwork,
  used: (index: number) => boolean,
): Promise<readonly TunnelDevice[]> {
  const removed: TunnelDevice[] = [];
  for (const device of TUNNEL_DEVICES) {
    const link = network.linkByName(device);
    if (link === undefined || (link.kind !== 'vxlan' && !used(link.index))) continue;
    for (const { interfaceIndex, address } of network.addresses()) {
      if (interfaceIndex === link.index && address.endsWith('/32'))
        network.deleteAddress(link.index, address);
    }
    network.setLinkDown(link.index);
    // The kernel refuses, or ignores, the removal of the one it has made itself.
    await network.deleteLink(link.index).catch(() => undefined);
    removed.push(device);
  }
  return removed;
}
