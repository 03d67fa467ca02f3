import type { Issue } from '../base/index.js';
import { parseDocument } from '../resources/index.js';
import type { Resource } from '../resources/index.js';
import { checkTopology } from './check-topology.js';
import { TopologyReader } from './topology-reader.js';
import { BGP_DAEMONS, DATASTORES, refuse } from './topology.js';
import type { LabTopology, RouterBgp, TopologyHost, TopologyNetwork, TopologyRouter } from './topology.js';

function readNetwork(reader: TopologyReader, path: string, value: unknown): TopologyNetwork {
  const map = reader.record(path, value, ['name', 'ipv4', 'ipv6']);
  const [ipv4, ipv6] = [map.ipv4, map.ipv6];
  return {
    name: reader.text(`${path}.name`, map.name, 'a name'),
    ...(ipv4 === undefined ? {} : { ipv4: reader.text(`${path}.ipv4`, ipv4, 'an IPv4 network') }),
    ...(ipv6 === undefined ? {} : { ipv6: reader.text(`${path}.ipv6`, ipv6, 'an IPv6 network') }),
  };
}

function readBgp(reader: TopologyReader, path: string, value: unknown): RouterBgp {
  const map = reader.record(path, value, ['daemon', 'asNumber', 'routeReflector', 'announces']);
  return {
    daemon: reader.choice(`${path}.daemon`, map.daemon, BGP_DAEMONS),
    asNumber: reader.text(`${path}.asNumber`, map.asNumber, 'an AS number'),
    routeReflector: reader.flag(`${path}.routeReflector`, map.routeReflector),
    announces: reader.texts(`${path}.announces`, map.announces, 'a CIDR'),
  };
}

function readRouter(reader: TopologyReader, path: string, value: unknown): TopologyRouter {
  const map = reader.record(path, value, ['name', 'networks', 'bgp']);
  return {
    name: reader.text(`${path}.name`, map.name, 'a name'),
    networks: reader.texts(`${path}.networks`, map.networks, 'the name of a network'),
    ...(map.bgp === undefined ? {} : { bgp: readBgp(reader, `${path}.bgp`, map.bgp) }),
  };
}

function readHost(reader: TopologyReader, path: string, value: unknown): TopologyHost {
  const map = reader.record(path, value, ['name', 'network', 'workloads']);
  const network = map.network;
  return {
    name: reader.text(`${path}.name`, map.name, 'a name'),
    ...(network === undefined
      ? {}
      : { network: reader.text(`${path}.network`, network, 'the name of a network') }),
    workloads: reader.list(`${path}.workloads`, map.workloads).map((entry, index) => {
      const inner = `${path}.workloads[${String(index)}]`;
      const workload = reader.record(inner, entry, ['name', 'labels']);
      return {
        name: reader.text(`${inner}.name`, workload.name, 'a name'),
        labels: reader.labels(`${inner}.labels`, workload.labels),
      };
    }),
  };
}

function readResources(value: unknown, issues: Issue[]): readonly Resource[] {
  if (value === undefined || value === null) return [];
  const parsed = parseDocument(value);
  if (parsed.ok) return parsed.resources;
  for (const { path, value: text, expected } of parsed.problems) {
    // A path that begins with an index, where there is a list of resources; else with a field.
    const place = path === '' || path.startsWith('[') ? path : `.${path}`;
    issues.push({ path: `resources${place}`, value: JSON.stringify(text), expected });
  }
  return [];
}

/** Reads a decoded topology file; throws `invalid` with an issue for each fault, one line each. */
export function readTopology(value: unknown): LabTopology {
  const reader = new TopologyReader();
  const top = reader.record('', value, ['datastore', 'networks', 'routers', 'hosts', 'resources']);
  const each = <T>(name: string, read: (r: TopologyReader, path: string, item: unknown) => T): readonly T[] =>
    reader.list(name, top[name]).map((item, index) => read(reader, `${name}[${String(index)}]`, item));
  const topology: LabTopology = {
    datastore: reader.choice('datastore', top.datastore, DATASTORES),
    networks: each('networks', readNetwork),
    routers: each('routers', readRouter),
    hosts: each('hosts', readHost),
    resources: readResources(top.resources, reader.issues),
  };
  // What is no text at all would only be complained of twice.
  refuse(reader.issues);
  refuse(checkTopology(topology));
  return topology;
}
