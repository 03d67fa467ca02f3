import { CalicoError, nearestWord } from '../base/index.js';
import type { LabHost, LabPlan, LabRouter, LabWorkload } from './plan.js';

/** A machine of the lab by its name. */
export type LabPlace =
  | { readonly kind: 'host'; readonly host: LabHost; readonly netns: string }
  | { readonly kind: 'router'; readonly router: LabRouter; readonly netns: string }
  | {
      readonly kind: 'workload';
      readonly host: LabHost;
      readonly workload: LabWorkload;
      readonly netns: string;
    };

/** At most so many names in a message. */
const MOST_NAMES = 20;

function notFound(plan: LabPlan, kinds: string, name: string, known: readonly string[]): CalicoError {
  const meant = nearestWord(name, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const more = known.length > MOST_NAMES ? ', …' : '';
  const list = known.slice(0, MOST_NAMES).join(', ');
  return new CalicoError(
    'not-found',
    `no ${kinds} '${name}' in lab ${plan.name}: it has ${list}${more}${hint}`,
  );
}

/** Finds a host, a workload or a router of the lab; `not-found` lists what there is. */
export function placeNamed(plan: LabPlan, name: string): LabPlace {
  for (const host of plan.hosts) {
    if (host.name === name) return { kind: 'host', host, netns: host.netns };
    const workload = host.workloads.find(candidate => candidate.name === name);
    if (workload !== undefined) return { kind: 'workload', host, workload, netns: workload.netns };
  }
  const router = plan.routers.find(candidate => candidate.name === name);
  if (router !== undefined) return { kind: 'router', router, netns: router.netns };
  const ofHosts = plan.hosts.flatMap(host => [host.name, ...host.workloads.map(workload => workload.name)]);
  throw notFound(plan, 'host, workload or router', name, [
    ...ofHosts,
    ...plan.routers.map(each => each.name),
  ]);
}

/** Finds a host of the lab; `not-found` lists them. */
export function hostNamed(plan: LabPlan, name: string): LabHost {
  const host = plan.hosts.find(candidate => candidate.name === name);
  if (host === undefined)
    throw notFound(
      plan,
      'host',
      name,
      plan.hosts.map(each => each.name),
    );
  return host;
}

/** A link as the user names it, and its port on the switch. */
export interface NamedLink {
  /** `host1`, or `router1:rack2` */
  readonly name: string;
  readonly port: string;
}

/** Every link of the lab: of hosts by the host's name, of routers by `<router>:<network>`. */
export function linksOf(plan: LabPlan): readonly NamedLink[] {
  return [
    ...plan.hosts.map(({ name, port }) => ({ name, port })),
    ...plan.routers.flatMap(({ name, links }) =>
      links.map(({ network, port }) => ({ name: `${name}:${network}`, port })),
    ),
  ];
}

/** The links that a name means: one, or all of a router. */
export function linksNamed(plan: LabPlan, name: string): readonly NamedLink[] {
  const links = linksOf(plan);
  const found = links.filter(link => link.name === name || link.name.startsWith(`${name}:`));
  if (found.length === 0)
    throw notFound(
      plan,
      'link',
      name,
      links.map(link => link.name),
    );
  return found;
}
