import type { Issue } from '../base/index.js';
import { canonicalCidr, overlaps, parseAsNumber, parseCidr, sizeOf } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import {
  FIRST_HOST,
  MOST_HOSTS,
  MOST_NETWORKS,
  MOST_ROUTERS,
  networkCidrs,
  networksOf,
  poolsOf,
} from './ranges.js';
import { issueAt, oneOf } from './topology-reader.js';
import type { LabTopology, TopologyRouter } from './topology.js';

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const NAME_EXPECTED = 'lower-case letters, digits and -, at most 32, a letter first';
/** The namespace with the switches. */
const RESERVED = 'fabric';

/** What is wrong with the name of a lab. */
export function checkLabName(name: string): readonly Issue[] {
  return NAME.test(name) ? [] : [issueAt('name', name, NAME_EXPECTED)];
}

interface Named {
  readonly path: string;
  readonly name: string;
}

function namesIn({ networks = [], routers = [], hosts }: LabTopology): readonly Named[] {
  const named = (list: string, items: readonly { readonly name: string }[]): readonly Named[] =>
    items.map(({ name }, index) => ({ path: `${list}[${String(index)}].name`, name }));
  return [
    ...named('networks', networks),
    ...named('routers', routers),
    ...hosts.flatMap(({ name, workloads }, index) => [
      { path: `hosts[${String(index)}].name`, name },
      ...named(`hosts[${String(index)}].workloads`, workloads),
    ]),
  ];
}

function checkNames(topology: LabTopology): readonly Issue[] {
  const seen = new Map<string, string>();
  return namesIn(topology).flatMap(({ path, name }) => {
    const first = seen.get(name);
    seen.set(name, first ?? path);
    if (!NAME.test(name)) return [issueAt(path, name, NAME_EXPECTED)];
    if (name === RESERVED) return [issueAt(path, name, 'another name: the lab’s own switch has this one')];
    return first === undefined ? [] : [issueAt(path, name, `a name of its own: ${first} has this one`)];
  });
}

function checkReferences(topology: LabTopology): readonly Issue[] {
  const names = networksOf(topology).map(({ name }) => name);
  const known = (path: string, name: string): readonly Issue[] =>
    names.includes(name) ? [] : [issueAt(path, name, oneOf(names, name))];
  const ofHosts = topology.hosts.flatMap(({ network }, index) => {
    const path = `hosts[${String(index)}].network`;
    if (network !== undefined) return known(path, network);
    return names.length === 1 ? [] : [issueAt(path, undefined, oneOf(names, ''))];
  });
  const ofRouters = (topology.routers ?? []).flatMap(({ networks }, index) => {
    const path = `routers[${String(index)}].networks`;
    if (networks.length === 0) return [issueAt(path, [], 'at least one network')];
    return networks.flatMap((name, at) => {
      const place = `${path}[${String(at)}]`;
      return networks.indexOf(name) === at ? known(place, name) : [issueAt(place, name, 'each network once')];
    });
  });
  return [...ofHosts, ...ofRouters];
}

function checkSizes(topology: LabTopology): readonly Issue[] {
  const { hosts, routers = [] } = topology;
  const limit = (path: string, count: number, most: number, least = 0): readonly Issue[] =>
    count >= least && count <= most
      ? []
      : [issueAt(path, count, `${String(least)} to ${String(most)} of them`)];
  return [
    ...limit('hosts', hosts.length, MOST_HOSTS, 1),
    ...limit('networks', topology.networks?.length ?? 0, MOST_NETWORKS),
    ...limit('routers', routers.length, MOST_ROUTERS),
  ];
}

/** Networks that are big enough, and neither overlap each other nor a pool. */
function checkAddresses(topology: LabTopology): readonly Issue[] {
  const taken: { readonly cidr: Cidr; readonly by: string }[] = poolsOf(topology).flatMap(text => {
    const cidr = parseCidr(text);
    return cidr === undefined ? [] : [{ cidr, by: `the pool ${text}` }];
  });
  const networks = networksOf(topology);
  return networks.flatMap((network, index) =>
    ([4, 6] as const).flatMap(version => {
      const path = `networks[${String(index)}].ipv${String(version)}`;
      const text = networkCidrs(network, index)[version];
      const cidr = parseCidr(text);
      if (cidr?.version !== version)
        return [issueAt(path, text, `an IPv${String(version)} network in CIDR form`)];
      const there = topology.hosts.filter(
        host => (host.network ?? networks[0]?.name) === network.name,
      ).length;
      if (sizeOf(cidr) < BigInt(FIRST_HOST + there + 1))
        return [issueAt(path, text, `a network with ${String(FIRST_HOST + there + 1)} addresses or more`)];
      const clash = taken.find(other => overlaps(other.cidr, cidr));
      taken.push({ cidr, by: `network ${network.name}` });
      return clash === undefined ? [] : [issueAt(path, text, `a network that does not overlap ${clash.by}`)];
    }),
  );
}

function checkBgp({ bgp }: TopologyRouter, path: string): readonly Issue[] {
  if (bgp === undefined) return [];
  const as = parseAsNumber(bgp.asNumber);
  const wrongAs = as === undefined || as === 0;
  return [
    ...(wrongAs
      ? [issueAt(`${path}.asNumber`, bgp.asNumber, 'an AS number, 1 to 4294967295 or dotted')]
      : []),
    ...bgp.announces.flatMap((text, index) =>
      canonicalCidr(text) === undefined
        ? [issueAt(`${path}.announces[${String(index)}]`, text, 'a CIDR')]
        : [],
    ),
  ];
}

/** What cannot be built of a topology that has the right form. */
export function checkTopology(topology: LabTopology): readonly Issue[] {
  return [
    ...checkSizes(topology),
    ...checkNames(topology),
    ...checkReferences(topology),
    ...checkAddresses(topology),
    ...(topology.routers ?? []).flatMap((router, index) => checkBgp(router, `routers[${String(index)}].bgp`)),
  ];
}
