import { addressAt, formatIp, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { CalicoError, hexDigest } from '../base/index.js';

/** A lab as it is to be built: hosts on one network, workloads on hosts. Plain data, kept in `lab.json`. */
export interface LabPlan {
  readonly name: string;
  /** the namespace that holds the switch between the hosts, and stands for the outside world */
  readonly fabric: { readonly netns: string; readonly ipv4: string; readonly ipv6: string };
  readonly hosts: readonly LabHost[];
}

export interface LabHost {
  readonly name: string;
  readonly netns: string;
  /** its port on the switch */
  readonly port: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly workloads: readonly LabWorkload[];
}

export interface LabWorkload {
  readonly name: string;
  readonly netns: string;
  readonly containerId: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the user asked for: the content of a topology file, or `--hosts` and `--workloads`. */
export interface LabTopology {
  readonly hosts: readonly {
    readonly name: string;
    readonly workloads: readonly {
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
    }[];
  }[];
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new CalicoError('invalid', `${text} is not a CIDR`);
  return cidr;
}

/** Addresses of the hosts' own network, and the pools of the workloads: private, and unlike a usual office. */
const FABRIC4 = cidrOf('172.30.0.0/22');
const FABRIC6 = cidrOf('fd30:ca11::/64');
export const LAB_POOLS = ['10.65.0.0/16', 'fd80:65::/64'] as const;
export const FABRIC4_LENGTH = 22;
export const FABRIC6_LENGTH = 64;
const MOST_HOSTS = 250;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** `hosts` hosts called host1…, each with `workloads` workloads called host1-w1…, without labels. */
export function plainTopology(hosts: number, workloads: number): LabTopology {
  const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
  return {
    hosts: upTo(hosts).map(h => ({
      name: `host${String(h)}`,
      workloads: upTo(workloads).map(w => ({ name: `host${String(h)}-w${String(w)}`, labels: {} })),
    })),
  };
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!NAME.test(name)) {
      throw new CalicoError(
        'invalid',
        `lab name '${name}': expected lower-case letters, digits and -, at most 32`,
      );
    }
    if (seen.has(name)) throw new CalicoError('invalid', `name '${name}' is used twice in the lab`);
    seen.add(name);
  }
}

/** Gives every host and workload its namespace and the hosts their addresses. */
export function planLab(name: string, topology: LabTopology): LabPlan {
  checkNames([name]);
  checkNames(topology.hosts.flatMap(host => [host.name, ...host.workloads.map(workload => workload.name)]));
  if (topology.hosts.length === 0 || topology.hosts.length > MOST_HOSTS) {
    throw new CalicoError(
      'invalid',
      `a lab has 1 to ${String(MOST_HOSTS)} hosts, not ${String(topology.hosts.length)}`,
    );
  }
  const address = (fabric: Cidr, index: number): string => formatIp(addressAt(fabric, index));
  return {
    name,
    fabric: { netns: `${name}-fabric`, ipv4: address(FABRIC4, 1), ipv6: address(FABRIC6, 1) },
    hosts: topology.hosts.map((host, index) => ({
      name: host.name,
      netns: `${name}-${host.name}`,
      port: `port${String(index + 1)}`,
      ipv4: address(FABRIC4, index + 11),
      ipv6: address(FABRIC6, index + 11),
      workloads: host.workloads.map(workload => ({
        ...workload,
        netns: `${name}-${workload.name}`,
        containerId: hexDigest('sha256', `${name}/${workload.name}`),
      })),
    })),
  };
}

/** A host or a workload by its name. */
export type LabPlace =
  | { readonly kind: 'host'; readonly host: LabHost; readonly netns: string }
  | {
      readonly kind: 'workload';
      readonly host: LabHost;
      readonly workload: LabWorkload;
      readonly netns: string;
    };

/** Finds a host, a workload or the fabric of the lab; `not-found` lists what there is. */
export function placeNamed(plan: LabPlan, name: string): LabPlace {
  for (const host of plan.hosts) {
    if (host.name === name) return { kind: 'host', host, netns: host.netns };
    const workload = host.workloads.find(candidate => candidate.name === name);
    if (workload !== undefined) return { kind: 'workload', host, workload, netns: workload.netns };
  }
  const known = plan.hosts.flatMap(host => [host.name, ...host.workloads.map(workload => workload.name)]);
  throw new CalicoError(
    'not-found',
    `no host or workload '${name}' in lab ${plan.name}: it has ${known.join(', ')}`,
  );
}
