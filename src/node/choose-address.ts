import { contains, formatIp, parseCidr, parseIp } from '../net/index.js';
import type { IpVersion } from '../net/index.js';
import type { AddressInfo, LinkInfo, RouteInfo } from '../netlink/index.js';

/** Interfaces that never carry the host's own routing address: bridges of runtimes, tunnels, workloads. */
const NOT_A_HOST_INTERFACE =
  /^(docker|cbr|dummy|podman|virbr|lxcbr|veth|lo$|br-|cali|tunl|flannel|kube-ipvs|cni|vxlan|wireguard|wg-|nodelocaldns)/;

const NOT_ROUTABLE = [
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].flatMap(text => parseCidr(text) ?? []);

/** What the kernel says of the host's network. */
export interface HostView {
  readonly links: readonly LinkInfo[];
  readonly addresses: readonly AddressInfo[];
  readonly routes: readonly RouteInfo[];
}

/** The host's addresses that other hosts can reach, as plain text, with the interface of each. */
function candidates(
  view: HostView,
  version: IpVersion,
): readonly { address: string; interfaceIndex: number }[] {
  const usable = new Set(
    view.links.filter(link => link.up && !NOT_A_HOST_INTERFACE.test(link.name)).map(link => link.index),
  );
  return view.addresses.flatMap(({ address, interfaceIndex }) => {
    const ip = parseIp(address.replace(/\/.*$/, ''));
    if (ip?.version !== version || !usable.has(interfaceIndex)) return [];
    return NOT_ROUTABLE.some(range => contains(range, ip)) ? [] : [{ address: formatIp(ip), interfaceIndex }];
  });
}

/**
 * The address that the host is known by: one on the interface of the default route where there is one, so
 * that a stray interface with a lower index does not win; else the first on any host interface.
 */
export function chooseAddress(view: HostView, version: IpVersion): string | undefined {
  const found = candidates(view, version);
  const anywhere = version === 4 ? '0.0.0.0/0' : '::/0';
  const uplinks = new Set(
    view.routes
      .filter(route => route.destination === anywhere)
      .toSorted((a, b) => a.metric - b.metric)
      .map(route => route.interfaceIndex),
  );
  for (const uplink of uplinks) {
    const onUplink = found.find(candidate => candidate.interfaceIndex === uplink);
    if (onUplink !== undefined) return onUplink.address;
  }
  return found[0]?.address;
}
