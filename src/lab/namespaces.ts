import { readdirSync } from 'node:fs';
import { runChecked } from '../base/index.js';
import type { LabLink, LabNetwork, LabPlan } from './plan.js';
import { underlayRoutes } from './underlay.js';

const NETNS_DIR = '/run/netns';

export function netnsPath(netns: string): string {
  return `${NETNS_DIR}/${netns}`;
}

/** One `ip` process for many commands. Every word comes from the plan, whose names are checked. */
export async function ipBatch(netns: string | undefined, commands: readonly string[]): Promise<void> {
  const inside = netns === undefined ? [] : ['-n', netns];
  await runChecked('ip', [...inside, '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
    timeoutMs: 120_000,
  });
}

/** Every namespace of the lab, workloads before the hosts they hang on, the fabric last. */
export function namespacesOf(plan: LabPlan): readonly string[] {
  return [
    ...plan.hosts.flatMap(host => host.workloads.map(workload => workload.netns)),
    ...plan.hosts.map(host => host.netns),
    ...plan.routers.map(router => router.netns),
    plan.fabric.netns,
  ];
}

function lengthOf(cidr: string): string {
  return cidr.slice(cidr.indexOf('/'));
}

/** Gives a device both addresses. No duplicate-address detection: the plan is the only one who gives them. */
function addressCommands(
  device: string,
  own: Pick<LabLink, 'ipv4' | 'ipv6'>,
  of: LabNetwork,
): readonly string[] {
  return [
    `addr add ${own.ipv4}${lengthOf(of.ipv4)} dev ${device}`,
    `addr add ${own.ipv6}${lengthOf(of.ipv6)} dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

function networkOf(plan: LabPlan, link: LabLink): LabNetwork {
  const network = plan.networks.find(({ name }) => name === link.network);
  if (network === undefined) throw new Error(`the plan has no network ${link.network}`);
  return network;
}

function linkCommands(plan: LabPlan, netns: string, link: LabLink): readonly string[] {
  return [
    `link add ${link.port} type veth peer name ${link.device} address ${link.mac} netns ${netns}`,
    `link set ${link.port} master ${networkOf(plan, link).bridge} up`,
  ];
}

/** Machines on a network from which on its neighbours are written down. */
const MANY = 20;

/**
 * In a large network every machine knows its neighbours from the beginning. The kernel keeps neighbours that it
 * finds by asking in one table of (by default) 1,024 for all namespaces: a full mesh of 50 hosts would fill it, to
 * the harm of the machine itself.
 */
function neighbourCommands(plan: LabPlan, own: LabLink): readonly string[] {
  const links = [...plan.hosts, ...plan.routers.flatMap(router => router.links)];
  const others = links.filter(link => link.network === own.network && link.port !== own.port);
  if (others.length < MANY) return [];
  return others.flatMap(({ mac, ipv4, ipv6 }) =>
    [ipv4, ipv6].map(ip => `neigh replace ${ip} lladdr ${mac} dev ${own.device} nud permanent`),
  );
}

/** A switch for each network; it is the gateway of a network without a router. */
function fabricCommands(plan: LabPlan): readonly string[] {
  return [
    'link set lo up',
    ...plan.networks.flatMap(network => [
      `link add ${network.bridge} type bridge`,
      ...(network.gateway.isRouter
        ? [`link set ${network.bridge} up`]
        : addressCommands(network.bridge, network.gateway, network)),
    ]),
    ...plan.hosts.flatMap(host => linkCommands(plan, host.netns, host)),
    ...plan.routers.flatMap(({ netns, links }) => links.flatMap(link => linkCommands(plan, netns, link))),
  ];
}

/** Makes the namespaces and cables them. All of it lives inside the lab's own namespaces. */
export async function buildNamespaces(plan: LabPlan): Promise<void> {
  await ipBatch(
    undefined,
    namespacesOf(plan).map(netns => `netns add ${netns}`),
  );
  await ipBatch(plan.fabric.netns, fabricCommands(plan));
  for (const router of plan.routers) {
    await runChecked('nsenter', [
      `--net=${netnsPath(router.netns)}`,
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv6.conf.all.forwarding=1',
    ]);
    await ipBatch(router.netns, [
      'link set lo up',
      ...router.links.flatMap(link => [
        ...addressCommands(link.device, link, networkOf(plan, link)),
        ...neighbourCommands(plan, link),
      ]),
      ...underlayRoutes(plan, router).flatMap(({ ipv4, ipv6, via }) => [
        `route add ${ipv4} via ${via.ipv4}`,
        `route add ${ipv6} via ${via.ipv6}`,
      ]),
    ]);
  }
  for (const host of plan.hosts) {
    const network = networkOf(plan, host);
    await ipBatch(host.netns, [
      'link set lo up',
      ...addressCommands(host.device, host, network),
      ...neighbourCommands(plan, host),
      `route add default via ${network.gateway.ipv4}`,
      `route add default via ${network.gateway.ipv6}`,
    ]);
    for (const workload of host.workloads) await ipBatch(workload.netns, ['link set lo up']);
  }
}

/** Those of the lab's namespaces that exist. */
export function existingNamespaces(plan: LabPlan): readonly string[] {
  let present: Set<string>;
  try {
    present = new Set(readdirSync(NETNS_DIR));
  } catch {
    return [];
  }
  return namespacesOf(plan).filter(netns => present.has(netns));
}

export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  if (namespaces.length === 0) return;
  await ipBatch(
    undefined,
    namespaces.map(netns => `netns delete ${netns}`),
  );
}
