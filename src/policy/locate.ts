import { CalicoError } from '../base/index.js';
import { contains, formatIp, parseCidr, parseIp } from '../net/index.js';
import { compareText } from './order.js';
import type { Endpoint, EndpointId } from './model.js';
import type { Located, Packet, Place } from './packet.js';
import type { Model } from './snapshot.js';
import type { Cidr, Ip } from '../net/index.js';

/** The packet's addresses; `invalid` when one is none, or not of the packet's family. */
export function addressesOf(packet: Packet): { readonly source: Ip; readonly destination: Ip } {
  const read = (path: 'source' | 'destination'): Ip => {
    const address = parseIp(packet[path]);
    if (address?.version === packet.ipVersion) return address;
    const issue = { path, value: packet[path], expected: `an IPv${String(packet.ipVersion)} address` };
    throw new CalicoError('invalid', `cannot judge a packet with ${path} '${packet[path]}'`, {
      issues: [issue],
    });
  };
  return { source: read('source'), destination: read('destination') };
}

/** All endpoints that have the address, in the order of their ids. */
export function endpointsAt(model: Model, address: Ip): readonly Endpoint[] {
  const text = formatIp(address);
  return [...model.endpoints.values()]
    .filter(({ addresses }) => addresses.includes(text))
    .sort((a, b) => compareText(a.id, b.id));
}

/** Whose floating address it is, and what it stands for; the first endpoint in the order of ids has it. */
export function floatingAt(
  model: Model,
  address: Ip,
): { readonly endpoint: Endpoint; readonly internal: string } | undefined {
  const text = formatIp(address);
  const [first] = [...model.endpoints.values()]
    .flatMap(endpoint => {
      const found = endpoint.adminUp
        ? endpoint.floating?.find(({ external }) => external === text)
        : undefined;
      return found === undefined ? [] : [{ endpoint, internal: found.internal }];
    })
    .sort((a, b) => compareText(a.endpoint.id, b.endpoint.id));
  return first;
}

function placed(model: Model, place: Place): Located {
  if (typeof place !== 'string') return { kind: 'host', node: place.host };
  return atEndpoint(model.endpoints.get(place), place);
}

function atEndpoint(endpoint: Endpoint | undefined, id: EndpointId): Located {
  if (endpoint === undefined) return { kind: 'unknown', id };
  return endpoint.kind === 'host' ? { kind: 'host', node: endpoint.node } : { kind: 'workload', endpoint };
}

/** Who is at an address, or where the packet is said to be. */
export function locate(model: Model, place: Place | undefined, address: Ip): Located {
  if (place !== undefined) return placed(model, place);
  const [endpoint] = endpointsAt(model, address);
  if (endpoint !== undefined) return atEndpoint(endpoint, endpoint.id);
  const text = formatIp(address);
  const host = [...model.hosts].find(([, addresses]) => addresses.includes(text));
  return host === undefined ? { kind: 'outside' } : { kind: 'host', node: host[0] };
}

/** Destinations that never leave the link: from a workload they reach its host, and nobody else. */
const linkScope: readonly Cidr[] = ['224.0.0.0/4', '255.255.255.255/32', 'fe80::/10', 'ff00::/8'].flatMap(
  text => parseCidr(text) ?? [],
);

/** The far end as seen from where the packet starts. */
export function locateDestination(model: Model, packet: Packet, source: Located): Located {
  const { destination } = addressesOf(packet);
  if (
    packet.to === undefined &&
    source.kind === 'workload' &&
    linkScope.some(net => contains(net, destination))
  ) {
    return { kind: 'host', node: source.endpoint.node };
  }
  return locate(model, packet.to, destination);
}
