import type { HostNetwork, LinkInfo } from '../../netlink/index.js';

/** The device that every implementation of Calico uses, and that monitoring of users looks for. */
export const IPIP_DEVICE = 'tunl0';

/** Of the outer IPv4 header, which has no options. */
export const IPIP_HEADER = 20;

/** Where the MTU of the underlying link is not known: what Calico has always set. */
const FALLBACK_MTU = 1440;

/** How the device has to be. */
export interface DeviceSettings {
  /** `undefined`: none yet */
  readonly address: string | undefined;
  readonly mtu: number;
}

/** The largest inner packet that fits into the link which carries the outer ones. */
export function ipipMtu(uplink: LinkInfo | undefined): number {
  return uplink === undefined || uplink.mtu <= IPIP_HEADER ? FALLBACK_MTU : uplink.mtu - IPIP_HEADER;
}

/**
 * Makes the IP-in-IP device, with exactly this IPv4 address, and up. Whatever has its name is taken as it:
 * the kernel's own one, or one that an operator has made. Fails with `unsupported` where the kernel has none.
 */
export function ensureDevice(network: HostNetwork, { address, mtu }: DeviceSettings): LinkInfo {
  const link = network.linkByName(IPIP_DEVICE) ?? network.createIpip(IPIP_DEVICE);
  if (link.mtu !== mtu) network.setLinkMtu(link.index, mtu);
  setOnlyAddress(network, link.index, address);
  if (!link.up) network.setLinkUp(link.index);
  return link;
}

/** Takes our address from the device again; the device stays, for the kernel's own cannot be deleted. */
export function releaseDevice(network: HostNetwork, address: string): void {
  const link = network.linkByName(IPIP_DEVICE);
  if (link !== undefined) network.deleteAddress(link.index, `${address}/32`);
}

function setOnlyAddress(network: HostNetwork, index: number, address: string | undefined): void {
  const wanted = address === undefined ? undefined : `${address}/32`;
  const present = network
    .addresses()
    .filter(({ interfaceIndex, address: held }) => interfaceIndex === index && !held.includes(':'))
    .map(held => held.address);
  if (wanted !== undefined && !present.includes(wanted)) network.addAddress(index, wanted);
  for (const other of present) {
    if (other !== wanted) network.deleteAddress(index, other);
  }
}

/**
 * For uninstalling: takes our kind of address from the device and removes it; the kernel's own one is left,
 * down. False when there is no such device.
 */
export async function removeDevice(network: HostNetwork): Promise<boolean> {
  const link = network.linkByName(IPIP_DEVICE);
  if (link === undefined) return false;
  for (const { interfaceIndex, address } of network.addresses()) {
    if (interfaceIndex === link.index && address.endsWith('/32')) network.deleteAddress(link.index, address);
  }
  network.setLinkDown(link.index);
  // The kernel refuses, or ignores, the removal of the one it has made itself.
  await network.deleteLink(link.index).catch(() => undefined);
  return true;
}
