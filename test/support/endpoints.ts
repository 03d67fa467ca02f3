import { configureWorkloadInterface } from '../../src/dataplane/endpoints/index.js';
import { WORKLOAD_GATEWAY_IPV4, WORKLOAD_GATEWAY_IPV6, WORKLOAD_HOST_MAC } from '../../src/net/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import type { DataplaneUpdate, Endpoint, EndpointId } from '../../src/policy/index.js';
import type { TestNet } from './netns.js';

/** An endpoint's id. */
export const idOf = (name: string): EndpointId => name as EndpointId;

/** A workload endpoint `name` on interface `cali<name>`, new or changed. */
export function updated(name: string, fields: Partial<Endpoint> = {}): DataplaneUpdate {
  const id = idOf(name);
  const endpoint: Endpoint = {
    id,
    kind: 'workload',
    node: 'host',
    labels: {},
    profiles: [],
    addresses: [],
    interfaceName: `cali${name}`,
    adminUp: true,
    ...fields,
  };
  return { kind: 'endpoint-updated', id, local: { endpoint, tiers: [] } };
}

/** Its end. */
export const removed = (name: string): DataplaneUpdate => ({ kind: 'endpoint-removed', id: idOf(name) });

export interface PodOptions {
  /** gives it the router's hardware address for good; default false */
  readonly permanent?: boolean;
  /** default true */
  readonly hostUp?: boolean;
}

/** A namespace `name` linked to the host by `cali<name>`, as the CNI plugin does it. Returns the host's index. */
export async function addPod(
  { net, host }: { readonly net: TestNet; readonly host: HostNetwork },
  name: string,
  { addresses, permanent = false, hostUp = true }: PodOptions & { readonly addresses: readonly string[] },
): Promise<number> {
  const netns = await net.add(name);
  const { host: end, containerIndex } = host.createVeth({
    hostName: `cali${name}`,
    hostMac: WORKLOAD_HOST_MAC,
    containerName: 'eth0',
    containerNetns: netns,
    mtu: 1500,
  });
  const pod = host.enter(netns);
  pod.setLinkUp(containerIndex);
  for (const address of addresses) pod.addAddress(containerIndex, address);
  for (const gateway of [WORKLOAD_GATEWAY_IPV4, WORKLOAD_GATEWAY_IPV6]) {
    const ipv6 = gateway.includes(':');
    if (ipv6 && !addresses.some(address => address.includes(':'))) continue;
    if (permanent || ipv6) pod.replaceNeighbour(containerIndex, gateway, WORKLOAD_HOST_MAC);
    if (!ipv6) pod.replaceRoute({ destination: `${gateway}/32`, interfaceIndex: containerIndex });
    pod.replaceRoute({ destination: ipv6 ? '::/0' : '0.0.0.0/0', gateway, interfaceIndex: containerIndex });
  }
  pod.close();
  if (hostUp) {
    configureWorkloadInterface(host, end.name, {
      ipv6: true,
      routeLocalnet: false,
      onProblem: () => undefined,
    });
    host.setLinkUp(end.index);
  }
  return end.index;
}
