import { hexDigest } from '../base/index.js';
import { addressAt, canonicalCidr, formatIp, parseAsNumber, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { Resource } from '../resources/index.js';
import { checkLabName, checkTopology } from './check-topology.js';
import { FIRST_HOST, FIRST_ROUTER, LAB_POOLS, networkCidrs, networksOf, poolsOf } from './ranges.js';
import { refuse } from './topology.js';
import type { LabDatastore, LabTopology, RouterBgp, TopologyNetwork, TopologyRouter } from './topology.js';

/** A lab as it is to be built. Plain data, kept in `lab.json`. */
export interface LabPlan {
  readonly name: string;
  /** the namespace that holds a switch for each network */
  readonly fabric: { readonly netns: string };
  readonly datastore: LabDatastore;
  readonly networks: readonly LabNetwork[];
  readonly routers: readonly LabRouter[];
  readonly hosts: readonly LabHost[];
  /** CIDRs of the pools that the lab makes itself; none where `resources` has pools */
  readonly pools: readonly string[];
  readonly resources: readonly Resource[];
}

export interface LabNetwork {
  readonly name: string;
  /** its switch */
  readonly bridge: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** the default router of its hosts: the first router on it, or else the switch, which leads nowhere */
  readonly gateway: { readonly ipv4: string; readonly ipv6: string; readonly isRouter: boolean };
}

/** One end of a cable: a machine's device on a network. */
export interface LabLink {
  readonly network: string;
  readonly device: string;
  /** the other end, on the switch */
  readonly port: string;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface LabRouter {
  readonly name: string;
  readonly netns: string;
  readonly links: readonly LabLink[];
  readonly bgp: (Omit<RouterBgp, 'asNumber'> & { readonly asNumber: number }) | undefined;
}

/** A host has one link, and its addresses. */
export interface LabHost extends LabLink {
  readonly name: string;
  readonly netns: string;
  readonly workloads: readonly LabWorkload[];
}

export interface LabWorkload {
  readonly name: string;
  readonly netns: string;
  readonly containerId: string;
  readonly labels: Readonly<Record<string, string>>;
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(`${text} was checked to be a CIDR`);
  return cidr;
}

/** A locally administered address for each port. */
function macOf(port: number): string {
  const [high, low] = [port >> 8, port & 0xff].map(byte => byte.toString(16).padStart(2, '0'));
  return `02:ca:11:c0:${String(high)}:${String(low)}`;
}

/** Hands out addresses and ports, to each machine of a network the next. */
class Cabling {
  readonly #cidrs: ReadonlyMap<string, { readonly 4: Cidr; readonly 6: Cidr }>;
  readonly #next = new Map<string, number>();
  #ports = 0;

  constructor(networks: readonly TopologyNetwork[]) {
    this.#cidrs = new Map(
      networks.map((network, index) => {
        const texts = networkCidrs(network, index);
        return [network.name, { 4: cidrOf(texts[4]), 6: cidrOf(texts[6]) }];
      }),
    );
  }

  addresses(network: string, index: number): { readonly ipv4: string; readonly ipv6: string } {
    const cidrs = this.#cidrs.get(network);
    if (cidrs === undefined) throw new Error(`network ${network} was checked to exist`);
    return { ipv4: formatIp(addressAt(cidrs[4], index)), ipv6: formatIp(addressAt(cidrs[6], index)) };
  }

  link(network: string, device: string, first: number): LabLink {
    const key = `${network} ${String(first)}`;
    const index = this.#next.get(key) ?? first;
    this.#next.set(key, index + 1);
    this.#ports += 1;
    return {
      network,
      device,
      port: `port${String(this.#ports)}`,
      mac: macOf(this.#ports),
      ...this.addresses(network, index),
    };
  }
}

function planRouter(lab: string, cabling: Cabling, { name, networks, bgp }: TopologyRouter): LabRouter {
  return {
    name,
    netns: `${lab}-${name}`,
    links: networks.map((network, index) => cabling.link(network, `eth${String(index)}`, FIRST_ROUTER)),
    bgp: bgp && {
      ...bgp,
      asNumber: parseAsNumber(bgp.asNumber) ?? 0,
      announces: bgp.announces.map(text => canonicalCidr(text) ?? text),
    },
  };
}

/**
 * Gives every machine its namespace, every link its addresses and ports. The same topology gives the same plan.
 * Throws `invalid` for what cannot be built.
 */
export function planLab(name: string, topology: LabTopology): LabPlan {
  refuse([...checkLabName(name), ...checkTopology(topology)]);
  const { datastore = 'sqlite', routers = [], resources = [] } = topology;
  const networks = networksOf(topology);
  const cabling = new Cabling(networks);
  return {
    name,
    fabric: { netns: `${name}-fabric` },
    datastore,
    networks: networks.map((network, index) => {
      const cidrs = networkCidrs(network, index);
      const isRouter = routers.some(router => router.networks.includes(network.name));
      const gateway = { ...cabling.addresses(network.name, FIRST_ROUTER), isRouter };
      const bridge = `net${String(index + 1)}`;
      return { name: network.name, bridge, ipv4: cidrs[4], ipv6: cidrs[6], gateway };
    }),
    hosts: topology.hosts.map(host => ({
      name: host.name,
      netns: `${name}-${host.name}`,
      ...cabling.link(host.network ?? networks[0]?.name ?? '', 'eth0', FIRST_HOST),
      workloads: host.workloads.map(workload => ({
        ...workload,
        netns: `${name}-${workload.name}`,
        containerId: hexDigest('sha256', `${name}/${workload.name}`),
      })),
    })),
    routers: routers.map(router => planRouter(name, cabling, router)),
    pools: poolsOf(topology) === LAB_POOLS ? LAB_POOLS : [],
    resources,
  };
}
