import { CalicoError } from '../base/index.js';
import type { Issue } from '../base/index.js';
import type { Resource } from '../resources/index.js';

/** What the user asked for: the content of a topology file, or `--hosts` and `--workloads`. */
export interface LabTopology {
  readonly datastore?: LabDatastore;
  /** absent or empty: one, called `lan` */
  readonly networks?: readonly TopologyNetwork[];
  readonly routers?: readonly TopologyRouter[];
  readonly hosts: readonly TopologyHost[];
  /** written to the datastore before the first agent starts */
  readonly resources?: readonly Resource[];
}

export type LabDatastore = (typeof DATASTORES)[number];

/** A link that hosts and routers are on. */
export interface TopologyNetwork {
  readonly name: string;
  /** CIDRs; absent: of the lab's own ranges, by the place of the network in the list */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** A machine that is no host of the cluster, and forwards between its networks. */
export interface TopologyRouter {
  readonly name: string;
  readonly networks: readonly string[];
  readonly bgp?: RouterBgp;
}

/** The router's own BGP daemon: it accepts a session from every host that has the router as a peer. */
export interface RouterBgp {
  readonly daemon: (typeof BGP_DAEMONS)[number];
  readonly asNumber: string;
  /** of the hosts' own AS, and hands on to each what it heard from the others */
  readonly routeReflector: boolean;
  /** CIDRs that it says it knows the way to */
  readonly announces: readonly string[];
}

export interface TopologyHost {
  readonly name: string;
  /** may be absent where there is one network only */
  readonly network?: string;
  readonly workloads: readonly TopologyWorkload[];
}

export interface TopologyWorkload {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const BGP_DAEMONS = ['bird', 'frr'] as const;
export const DATASTORES = ['sqlite', 'etcd'] as const;

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

/** Throws `invalid` when there are issues: their places, values and what was expected, one line each. */
export function refuse(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const lines = issues.map(({ path, value, expected }) => {
    const place = path === '' ? 'the topology' : path;
    return `${place} is ${value}: expected ${expected}`;
  });
  throw new CalicoError('invalid', lines.join('\n'), { issues });
}
