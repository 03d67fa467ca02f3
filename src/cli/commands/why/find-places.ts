import { nearestWord } from '../../../base/index.js';
import { canonicalIp } from '../../../net/index.js';
import { effectiveLabels, endpointName } from '../../../policy/index.js';
import type { Endpoint, Model, Packet } from '../../../policy/index.js';
import { matches, parseSelector } from '../../../selector/index.js';
import { visible } from '../../output/index.js';

/** One end of a packet: an address, and the endpoint or host that has it when the words named one. */
export interface PacketEnd {
  readonly address: string;
  readonly place?: NonNullable<Packet['from']>;
}

function isCalled(endpoint: Endpoint, words: string): boolean {
  const { id } = endpoint;
  if (id === words || endpointName(id) === words) return true;
  const path = id.slice(id.indexOf(':') + 1);
  return path === words || path.endsWith(`/${words}`);
}

/** A pod by its own name: Kubernetes workloads are called `<namespace>.<pod>`. */
function isPodCalled({ id }: Endpoint, words: string): boolean {
  const [, orchestrator, workload = ''] = id.slice(id.indexOf(':') + 1).split('/');
  return orchestrator === 'k8s' && workload.slice(workload.indexOf('.') + 1) === words;
}

function endsOf(endpoint: Endpoint): readonly PacketEnd[] {
  const place = endpoint.kind === 'host' ? { host: endpoint.node } : endpoint.id;
  return endpoint.addresses.map(address => ({ address, place }));
}

/**
 * The ends that words on the command line mean: an address, a host, an endpoint by its id, its workload or its
 * name, or all endpoints that a selector matches. Empty when there is none.
 */
export function findPlaces(words: string, model: Model): readonly PacketEnd[] {
  const address = canonicalIp(words);
  if (address !== undefined) return [{ address }];
  const host = model.hosts.get(words);
  if (host !== undefined) return host.map(each => ({ address: each, place: { host: words } }));
  const endpoints = [...model.endpoints.values()];
  for (const called of [isCalled, isPodCalled]) {
    const named = endpoints.filter(endpoint => called(endpoint, words));
    if (named.length > 0) return named.flatMap(endsOf);
  }
  const selector = parseSelector(words);
  if (!selector.ok || words.trim() === '') return [];
  return endpoints
    .filter(each =>
      matches(
        selector.selector,
        effectiveLabels(each, id => model.profiles.get(id)),
      ),
    )
    .flatMap(endsOf);
}

/** Why no end was found: what was typed wrong, as far as one can tell. */
export function whyNoPlace(words: string, model: Model): string {
  const said = `'${visible(words)}'`;
  const selector = parseSelector(words);
  if (selector.ok) return `${said} as a selector matches no endpoint with an address`;
  const named = [...model.endpoints.values()].find(each => isCalled(each, words) || isPodCalled(each, words));
  if (named !== undefined) return `${said} has no address`;
  if (/[=!(){}"'&|]| (not )?in /.test(words)) {
    return `${said} is no selector: ${visible(selector.reason)}`;
  }
  const near = nearestWord(words, [
    ...model.hosts.keys(),
    ...[...model.endpoints.keys()].flatMap(id => [endpointName(id), id.slice(id.lastIndexOf('/') + 1)]),
    ...[...model.endpoints.keys()].map(id => endpointName(id).replace(/^[^.]*\./, '')),
  ]);
  const advice = near === undefined ? '' : `; did you mean '${visible(near)}'?`;
  return `${said} is no endpoint, host, address or selector${advice}`;
}

/** The nodes on which those ends are. */
export function nodesOf(ends: readonly PacketEnd[], model: Model): ReadonlySet<string> {
  const nodes = ends.flatMap(({ address, place }) => {
    if (typeof place === 'object') return [place.host];
    const endpoint = place === undefined ? undefined : model.endpoints.get(place);
    if (endpoint !== undefined) return [endpoint.node];
    const here = [...model.endpoints.values()].filter(each => each.addresses.includes(address));
    const hosts = [...model.hosts].filter(([, addresses]) => addresses.includes(address));
    return [...here.map(each => each.node), ...hosts.map(([node]) => node)];
  });
  return new Set(nodes);
}
