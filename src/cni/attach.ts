import { CalicoError } from '../base/index.js';
import { WORKLOAD_GATEWAY_IPV4, WORKLOAD_GATEWAY_IPV6, WORKLOAD_HOST_MAC, parseIp } from '../net/index.js';
import { configureWorkloadInterface } from '../dataplane/index.js';
import type { HostNetwork, LinkInfo, RouteInfo } from '../netlink/index.js';
import { CniError, cniCode } from './errors.js';
import type { NetworkConfig } from './netconf.js';
import { hostNetworkOf } from './result.js';

export interface LinkRequest {
  readonly hostName: string;
  readonly containerName: string;
  /** path */
  readonly netns: string;
  readonly mtu: number | undefined;
  /** of the container's end; undefined: one that the kernel makes up */
  readonly mac: string | undefined;
  /** canonical, without length */
  readonly addresses: readonly string[];
  /** canonical destinations that the container reaches through the host */
  readonly routes: readonly string[];
  /** whether the container may be a router itself */
  readonly allowIpForwarding: boolean;
  /** told of a setting of the host's end that could not be made, without which traffic flows */
  readonly onProblem: (setting: string, problem: string) => void;
}

/** The routing table that the container looks into. */
export const MAIN_TABLE = 254;

/** `proto` of the container's routes: what `ip route add` writes, for they are its own from now on. */
const PROTOCOL_BOOT = 3;

/**
 * Links a container to the host: a veth pair whose other end is born in the container, with its addresses and
 * the way out. A link of that name that is left over goes first. The host's routes are the dataplane's, which
 * sets them when policy is in the kernel. When it fails, the caller removes the link if there is one.
 * Returns the container's end.
 */
export async function attachLink(host: HostNetwork, request: LinkRequest): Promise<LinkInfo> {
  const stale = host.linkByName(request.hostName);
  if (stale !== undefined) await host.deleteLink(stale.index);
  const container = host.enter(request.netns);
  try {
    if (container.linkByName(request.containerName) !== undefined) {
      throw new CniError(
        cniCode.badEnvironment,
        `invalid environment: CNI_IFNAME ${request.containerName} exists in ${request.netns} already`,
      );
    }
    const { host: hostEnd, containerIndex } = host.createVeth({
      hostName: request.hostName,
      hostMac: WORKLOAD_HOST_MAC,
      containerName: request.containerName,
      containerNetns: request.netns,
      ...(request.mtu === undefined ? {} : { mtu: request.mtu }),
      ...(request.mac === undefined ? {} : { containerMac: request.mac }),
    });
    const { onProblem } = request;
    const ipv6 = hasVersion6(request.addresses);
    configureWorkloadInterface(host, request.hostName, { ipv6, routeLocalnet: false, onProblem });
    host.setLinkUp(hostEnd.index);
    configureContainer(container, containerIndex, request);
    return expectLink(container, request.containerName);
  } finally {
    container.close();
  }
}

function expectLink(network: HostNetwork, name: string): LinkInfo {
  const link = network.linkByName(name);
  if (link === undefined) throw new CalicoError('not-found', `interface ${name} is gone again`);
  return link;
}

function configureContainer(container: HostNetwork, index: number, request: LinkRequest): void {
  const { containerName, addresses } = request;
  const forwarding = request.allowIpForwarding ? '1' : '0';
  const version6 = hasVersion6(addresses);
  if (version6) {
    for (const scope of ['all', 'default', 'lo', containerName]) {
      container.writeSysctl(['ipv6', 'conf', scope, 'disable_ipv6'], '0');
    }
    container.writeSysctl(['ipv6', 'conf', containerName, 'accept_dad'], '0');
    container.writeSysctl(['ipv6', 'conf', 'all', 'forwarding'], forwarding);
  }
  container.writeSysctl(['ipv4', 'ip_forward'], forwarding);
  container.setLinkUp(index);
  for (const address of addresses) container.addAddress(index, hostNetworkOf(address));
  const present = container.routes();
  const routeTo = (destination: string) => ({
    destination,
    interfaceIndex: index,
    protocol: PROTOCOL_BOOT,
    ...behind(present, destination),
  });
  if (addresses.some(address => !isVersion6(address))) {
    container.replaceRoute({ ...routeTo(`${WORKLOAD_GATEWAY_IPV4}/32`), scope: 'link' });
    // The host answers by proxy ARP only while it has another route to that address (integrations.md A.8).
    container.replaceNeighbour(index, WORKLOAD_GATEWAY_IPV4, WORKLOAD_HOST_MAC);
  }
  if (version6) container.replaceNeighbour(index, WORKLOAD_GATEWAY_IPV6, WORKLOAD_HOST_MAC);
  for (const destination of request.routes) {
    container.replaceRoute({ ...routeTo(destination), gateway: gatewayOf(destination) });
  }
}

/**
 * The metric of a route in a container that another network has given one of the same destination: that network
 * keeps it, and this one takes over when the other goes.
 */
function behind(present: readonly RouteInfo[], destination: string): { readonly metric?: number } {
  const metrics = present
    .filter(route => route.destination === destination && route.table === MAIN_TABLE)
    .map(({ metric }) => metric);
  return metrics.length === 0 ? {} : { metric: Math.max(...metrics) + 1 };
}

/** The container's router for a destination: the host, at the address of that IP version. */
export function gatewayOf(destination: string): string {
  return destination.includes(':') ? WORKLOAD_GATEWAY_IPV6 : WORKLOAD_GATEWAY_IPV4;
}

/** What a container with these addresses reaches through the host: everything, or what is configured. */
export function containerRoutes(config: NetworkConfig, addresses: readonly string[]): readonly string[] {
  const hasFamily = (destination: string): boolean =>
    addresses.some(address => isVersion6(address) === destination.includes(':'));
  const { routes } = config.ipam;
  const defaults = routes === undefined || config.includeDefaultRoutes ? ['0.0.0.0/0', '::/0'] : [];
  return [...new Set([...defaults, ...(routes ?? [])])].filter(hasFamily);
}

function hasVersion6(addresses: readonly string[]): boolean {
  return addresses.some(isVersion6);
}

function isVersion6(address: string): boolean {
  return parseIp(address)?.version === 6;
}
