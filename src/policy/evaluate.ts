import { allowedToHost, deniedFromWorkload, hasPrefix, isWithoutIpv6 } from './built-in.js';
import { decide } from './decide.js';
import { effectiveLabels, effectiveTags } from './effective-labels.js';
import { intoHost, outOfHost, throughInto, throughOutOf } from './host-passages.js';
import { addressesOf, endpointsAt, floatingAt, locate, locateDestination } from './locate.js';
import type { LabelledEndpoint, ProfileLookup } from './effective-labels.js';
import type { HostSide, Passage, Trip } from './host-passages.js';
import type { MatchContext } from './match-rule.js';
import type { Endpoint, EndpointId } from './model.js';
import type { Located, Packet } from './packet.js';
import { settingsOn } from './snapshot.js';
import type { Model } from './snapshot.js';
import type { Crossing, Decision, Step, Verdict } from './verdict.js';
import type { Ip } from '../net/index.js';

interface Journey extends Trip {
  readonly source: Located;
  readonly destination: Located;
  /** how the packet looks on the destination's host, which translates a floating address; absent: as it was sent */
  readonly translated?: Trip;
}

/**
 * What happens to the first packet of a connection, and why. Pure: the oracle of the kernel tests and the
 * engine of `calicoctl why`.
 */
export function evaluate(model: Model, packet: Packet): Verdict {
  const addresses = addressesOf(packet);
  const source = locate(model, packet.from, addresses.source);
  const floating = packet.to === undefined ? floatingAt(model, addresses.destination) : undefined;
  const destination: Located =
    floating === undefined
      ? locateDestination(model, packet, source)
      : { kind: 'workload', endpoint: floating.endpoint };
  const translated =
    floating === undefined ? undefined : tripOf(model, { ...packet, destination: floating.internal });
  const path: Crossing[] = [];
  const steps: Step[] = [];
  for (const { steps: taken = [], ...crossing } of passages({
    ...tripOf(model, packet),
    source,
    destination,
    ...(translated !== undefined && { translated }),
  })) {
    path.push(crossing);
    steps.push(...taken);
    if (!crossing.allowed) break;
  }
  const stopped = path.at(-1);
  if (stopped?.allowed === false && acceptsDrops(model, stopped)) {
    return {
      allowed: true,
      packet,
      source,
      destination,
      path: [...path, unpoliced('drops-accepted')],
      steps,
    };
  }
  if (path.length === 0) {
    path.push(unpoliced([source.kind, destination.kind].includes('host') ? 'host-traffic' : 'no-endpoint'));
  }
  return { allowed: path.every(({ allowed }) => allowed), packet, source, destination, path, steps };
}

function tripOf(model: Model, packet: Packet): Trip {
  const { source, destination } = addressesOf(packet);
  const context: MatchContext = {
    packet,
    source: side(model, source, packet.sourcePort),
    destination: side(model, destination, packet.destinationPort),
  };
  return { model, packet, context };
}

/** True where DropActionOverride turns the denial into its opposite. */
function acceptsDrops(model: Model, { endpoint }: Crossing): boolean {
  const node = /^[a-z]+:([^/]*)\//.exec(endpoint ?? '')?.[1] ?? '';
  return settingsOn(model, node).dropActionOverride.endsWith('accept');
}

function side(model: Model, address: Ip, port: number | undefined): MatchContext['source'] {
  const lookup: ProfileLookup = id => model.profiles.get(id);
  const labelled = (endpoint: Endpoint): LabelledEndpoint => ({
    endpoint,
    labels: effectiveLabels(endpoint, lookup),
    tags: effectiveTags(endpoint, lookup),
  });
  return { address, port, endpoints: endpointsAt(model, address).map(labelled) };
}

/**
 * The points that a packet passes, one after the other (policy-enforcement 1.1). `[…]` are host endpoints, where
 * there are any; `-//-` is the wire between hosts.
 *
 *   workload ─ egress ─┬─ ingress ─ workload on the same host
 *                      ├─ to-host ─ its own host       host ─ (never policed) ─ its own workload
 *                      └─ [forward] -//-               host ─ [untracked, normal] -//-
 *
 *   -//- [untracked, pre-DNAT] ─┬─ [normal] ─ host
 *                               ├─ [forward] ─ ingress ─ workload
 *                               └─ [forward] ─ [forward of another interface] -//-
 */
function* passages(journey: Journey): Generator<Passage, void> {
  const { source, destination, translated } = journey;
  const [from, to] = [nodeOf(source), nodeOf(destination)];
  const isFromOurs = source.kind === 'workload' || source.kind === 'unknown';
  const isToOurs = destination.kind === 'workload' || destination.kind === 'unknown';
  if (isFromOurs && isToOurs && translated === undefined && idOf(source) === idOf(destination)) {
    yield unpoliced('same-endpoint'); // it never leaves the workload's own network stack
    return;
  }
  // On one host the destination is translated before any policy of workloads is asked.
  const inside: Journey = { ...journey, ...translated };
  if (isFromOurs) yield* outOfWorkload(from === to ? inside : journey, source);
  if (from === undefined || from !== to) yield* overTheWire(journey, from, to);
  if (isToOurs) yield intoWorkload(inside, destination);
}

/** The host endpoints on the way from one host to another. */
function* overTheWire(journey: Journey, from?: string, to?: string): Generator<Passage, void> {
  const { packet, source, destination } = journey;
  if (source.kind === 'host') yield* outOfHost(journey, hostSide(journey, source.node, 'out'));
  else if (from !== undefined) yield* throughOutOf(journey, hostSide(journey, from, 'out'));
  for (const { node, in: into, out } of packet.hops ?? []) {
    if (node === from || node === to) continue;
    const isDone = yield* throughInto(journey, { node, interfaceName: into });
    if (!isDone) yield* throughOutOf(journey, { node, interfaceName: out });
  }
  if (destination.kind === 'host') yield* intoHost(journey, hostSide(journey, destination.node, 'in'));
  else if (to !== undefined) yield* throughInto(journey, hostSide(journey, to, 'in'), journey.translated);
}

/** The host on which one end of the way is; an unknown endpoint's id tells it. */
function nodeOf(located: Located): string | undefined {
  switch (located.kind) {
    case 'workload':
      return located.endpoint.node;
    case 'host':
      return located.node;
    case 'unknown':
      return /^workload:([^/]*)\//.exec(located.id)?.[1];
    case 'outside':
      break;
  }
  return undefined;
}

function hostSide({ packet, source, destination }: Journey, node: string, way: 'in' | 'out'): HostSide {
  const interfaceName = packet.hops?.find(hop => hop.node === node)?.[way];
  const [end, address] = way === 'in' ? [destination, packet.destination] : [source, packet.source];
  return { node, interfaceName, ...(end.kind === 'host' && { address }) };
}

type Ours = Extract<Located, { kind: 'workload' | 'unknown' }>;

function idOf(located: Ours): EndpointId {
  return located.kind === 'workload' ? located.endpoint.id : located.id;
}

function unpoliced(reason: Extract<Decision, { kind: 'not-policed' }>['reason']): Passage {
  return { point: 'unpoliced', allowed: true, decision: { kind: 'not-policed', reason } };
}

function unknown(point: 'egress' | 'ingress', endpoint: EndpointId): Passage {
  return { point, endpoint, allowed: false, decision: { kind: 'built-in-deny', reason: 'unknown-endpoint' } };
}

function* outOfWorkload(
  { model, packet, destination, context }: Journey,
  from: Ours,
): Generator<Passage, void> {
  if (from.kind === 'unknown') {
    yield unknown('egress', from.id);
    return;
  }
  const { endpoint } = from;
  const at = { point: 'egress', endpoint: endpoint.id } as const;
  const isToItsHost = destination.kind === 'host' && destination.node === endpoint.node;
  const settings = settingsOn(model, endpoint.node);
  if (isToItsHost && !hasPrefix(endpoint, settings)) {
    yield unpoliced('foreign-prefix');
    return;
  }
  const denied = deniedFromWorkload(endpoint, packet, settings);
  const allowed = isToItsHost ? allowedToHost(packet, settings) : undefined;
  const builtIn = denied ?? allowed;
  if (builtIn !== undefined) {
    yield { ...at, allowed: denied === undefined, decision: builtIn };
    return;
  }
  yield { ...at, ...decide({ model, endpoint, direction: 'egress', context }) };
  if (!isToItsHost) return;
  const action = settings.defaultEndpointToHostAction;
  yield {
    point: 'to-host',
    endpoint: endpoint.id,
    allowed: action !== 'drop',
    decision: { kind: 'endpoint-to-host', action },
  };
}

function intoWorkload({ model, packet, source, context }: Journey, to: Ours): Passage {
  const isFromItsHost = source.kind === 'host' && (to.kind === 'unknown' || source.node === to.endpoint.node);
  if (isFromItsHost) return unpoliced('from-own-host');
  if (to.kind === 'unknown') return unknown('ingress', to.id);
  const at = { point: 'ingress', endpoint: to.endpoint.id } as const;
  if (isWithoutIpv6(packet, settingsOn(model, to.endpoint.node))) {
    return { ...at, allowed: false, decision: { kind: 'built-in-deny', reason: 'ipv6-off' } };
  }
  if (!to.endpoint.adminUp) {
    return { ...at, allowed: false, decision: { kind: 'built-in-deny', reason: 'endpoint-down' } };
  }
  return { ...at, ...decide({ model, endpoint: to.endpoint, direction: 'ingress', context }) };
}
