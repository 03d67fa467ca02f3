import { WORKLOAD_GATEWAY_IPV4, WORKLOAD_HOST_MAC, parseIp } from '../net/index.js';
import type { HostNetwork, LinkInfo } from '../netlink/index.js';
import { addressSource } from './addresses.js';
import type { Operation } from './addresses.js';
import { MAIN_TABLE, containerRoutes, gatewayOf } from './attach.js';
import { hostInterfaceOf } from './attachment.js';
import { findEndpoint } from './del.js';
import { CniError, cniCode } from './errors.js';
import { wrong } from './json.js';
import type { CniParts } from './parts.js';
import { parsePreviousResult } from './previous-result.js';
import type { PreviousResult } from './previous-result.js';
import { hostNetworkOf } from './result.js';

/**
 * CHECK: links, addresses, routes, endpoint and assignment are there as ADD answered them (`prevResult`);
 * fails with all that is not.
 */
export async function check(parts: CniParts, operation: Operation): Promise<void> {
  const { attachment, config } = operation;
  const { netns, ifName } = attachment;
  if (config.prevResult === undefined) throw wrong('prevResult', undefined, 'what ADD answered');
  const expected = parsePreviousResult(config.prevResult, { ifName, hostName: hostInterfaceOf(attachment) });
  const problems = [
    ...hostProblems(parts.network, hostInterfaceOf(attachment), expected),
    ...(netns === undefined ? [] : containerProblems(parts.network.enter(netns), operation, expected)),
    ...(await endpointProblems(parts, operation, expected)),
  ];
  if (problems.length > 0) {
    throw new CniError(cniCode.generic, `${attachment.workload}: ${problems.join('; ')}`);
  }
  await addressSource(parts, config).check(operation, expected.addresses);
}

function hostProblems(
  network: HostNetwork,
  hostName: string,
  { addresses, host }: PreviousResult,
): readonly string[] {
  const link = network.linkByName(hostName);
  if (link?.up !== true) return [`interface ${hostName} is missing or down`];
  const here = network.routes().filter(({ interfaceIndex }) => interfaceIndex === link.index);
  const missing = addresses
    .map(hostNetworkOf)
    .filter(destination => !here.some(route => route.destination === destination));
  return [
    ...linkProblems(link, { mtu: host?.mtu, mac: host?.mac ?? WORKLOAD_HOST_MAC }),
    ...missing.map(destination => `the host has no route to ${destination} through ${hostName}`),
  ];
}

function linkProblems(
  { name, mac, mtu }: LinkInfo,
  expected: { readonly mac: string | undefined; readonly mtu: number | undefined },
): readonly string[] {
  return [
    ...(expected.mac === undefined || expected.mac === mac
      ? []
      : [`${name} has the address ${mac}, not ${expected.mac}`]),
    ...(expected.mtu === undefined || expected.mtu === mtu
      ? []
      : [`${name} has MTU ${String(mtu)}, not ${String(expected.mtu)}`]),
  ];
}

/** Closes `container`. */
function containerProblems(
  container: HostNetwork,
  { attachment: { ifName }, config }: Operation,
  { addresses, container: expected }: PreviousResult,
): readonly string[] {
  try {
    const link = container.linkByName(ifName);
    if (link?.up !== true) return [`interface ${ifName} is missing or down in the container`];
    const own = container.addresses().filter(({ interfaceIndex }) => interfaceIndex === link.index);
    const routes = container
      .routes()
      .filter(({ interfaceIndex, table }) => interfaceIndex === link.index && table === MAIN_TABLE);
    const hasRoute = (destination: string, gateway: string | undefined): boolean =>
      routes.some(route => route.destination === destination && route.gateway === gateway);
    const hasVersion4 = addresses.some(address => parseIp(address)?.version === 4);
    return [
      ...linkProblems(link, { mac: expected?.mac, mtu: expected?.mtu ?? config.mtu }),
      ...addresses
        .map(hostNetworkOf)
        .filter(address => !own.some(each => each.address === address))
        .map(address => `address ${address} is missing on ${ifName}`),
      ...(hasVersion4 && !hasRoute(`${WORKLOAD_GATEWAY_IPV4}/32`, undefined)
        ? [`the route to ${WORKLOAD_GATEWAY_IPV4} is missing in the container`]
        : []),
      ...containerRoutes(config, addresses)
        .filter(destination => !hasRoute(destination, gatewayOf(destination)))
        .map(destination => `the route to ${destination} is missing in the container`),
    ];
  } finally {
    container.close();
  }
}

async function endpointProblems(
  parts: CniParts,
  { attachment }: Operation,
  { addresses, container }: PreviousResult,
): Promise<readonly string[]> {
  const endpoint = await findEndpoint(parts, attachment);
  if (endpoint === undefined) return ['the workload endpoint is missing'];
  const { interfaceName, ipNetworks = [], mac } = endpoint.spec;
  const hostName = hostInterfaceOf(attachment);
  const missing = addresses.map(hostNetworkOf).filter(network => !ipNetworks.includes(network));
  return [
    ...missing.map(network => `the workload endpoint lacks ${network}`),
    ...(interfaceName === hostName
      ? []
      : [`the workload endpoint names interface ${interfaceName}, not ${hostName}`]),
    ...(container?.mac === undefined || mac === container.mac
      ? []
      : [`the workload endpoint has the address ${mac ?? 'none'}, not ${container.mac}`]),
  ];
}
