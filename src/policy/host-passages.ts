import { isDiscovery } from './built-in.js';
import { decide, decideAt } from './decide.js';
import { isFailsafe, isFailsafeOrReply } from './failsafe.js';
import { claimsOnInterfaces } from './host-interfaces.js';
import type { MatchContext } from './match-rule.js';
import type { Direction, Endpoint, Stage } from './model.js';
import type { Packet } from './packet.js';
import { settingsOn } from './snapshot.js';
import type { Model } from './snapshot.js';
import type { Crossing, Step } from './verdict.js';

/** A point on the way with all that was looked at there. */
export interface Passage extends Crossing {
  readonly steps?: readonly Step[];
}

/** A packet under judgement. */
export interface Trip {
  readonly model: Model;
  readonly packet: Packet;
  readonly context: MatchContext;
}

/** Where a packet meets a host: whose interface, and which of the packet's addresses is the host's, if one is. */
export interface HostSide {
  readonly node: string;
  readonly interfaceName: string | undefined;
  readonly address?: string;
}

/**
 * The host endpoint that is in force where a packet meets a host. When nobody tells the interface, it is that of the
 * interface which has the host's address; when nobody knows that either, it is the endpoint with the address, or else
 * the host's only one.
 */
function hostEndpointAt(model: Model, side: HostSide): Endpoint | undefined {
  const { node, interfaceName, address } = side;
  const all = [...model.endpoints.values()].filter(each => each.kind === 'host' && each.node === node);
  const interfaces = model.interfaces?.get(node) ?? new Map<string, readonly string[]>();
  const name = interfaceName ?? [...interfaces].find(([, owned]) => owned.includes(address ?? ''))?.[0];
  if (name !== undefined) return claimsOnInterfaces(all, interfaces).get(name)?.[0];
  const owner = address === undefined ? undefined : all.find(each => each.addresses.includes(address));
  return owner ?? (all.length === 1 ? all[0] : undefined);
}

type Early = Extract<Stage, 'untracked' | 'pre-dnat'>;

const earlyStages: Readonly<Record<Direction, readonly Early[]>> = {
  ingress: ['untracked', 'pre-dnat'],
  egress: ['untracked'],
};

/** Stages at which all packets are met, whoever they are for; true when one of them has allowed the packet. */
function* early(trip: Trip, endpoint: Endpoint, direction: Direction): Generator<Passage, boolean> {
  const { failsafePorts } = settingsOn(trip.model, endpoint.node);
  if (isDiscovery(trip.packet)) return false;
  const way = direction === 'ingress' ? 'in' : 'out';
  for (const stage of earlyStages[direction]) {
    const isOpen = stage === 'untracked' ? isFailsafeOrReply : isFailsafe;
    if (isOpen(failsafePorts, trip.packet, way)) continue;
    const outcome = decideAt({ ...trip, endpoint, direction, stage });
    if (outcome === undefined) continue;
    yield { point: direction, endpoint: endpoint.id, stage, ...outcome };
    if (outcome.decision.kind === 'rule') return true;
  }
  return false;
}

/** Of the host itself: discovery and failsafe ports first, then policies, then profiles. */
function* local(trip: Trip, endpoint: Endpoint, direction: Direction): Generator<Passage, void> {
  const at = { point: direction, endpoint: endpoint.id } as const;
  const way = direction === 'ingress' ? 'in' : 'out';
  if (isDiscovery(trip.packet)) {
    yield { ...at, allowed: true, decision: { kind: 'built-in-allow', reason: 'neighbour-discovery' } };
  } else if (isFailsafe(settingsOn(trip.model, endpoint.node).failsafePorts, trip.packet, way)) {
    yield { ...at, allowed: true, decision: { kind: 'built-in-allow', reason: 'failsafe' } };
  } else yield { ...at, ...decide({ ...trip, endpoint, direction }) };
}

/** On its way through the host; nothing when no policy is for such packets. */
function* forwarded(trip: Trip, endpoint: Endpoint, direction: Direction): Generator<Passage, void> {
  if (isDiscovery(trip.packet)) return;
  const outcome = decideAt({ ...trip, endpoint, direction, stage: 'forward' });
  if (outcome !== undefined) yield { point: direction, endpoint: endpoint.id, stage: 'forward', ...outcome };
}

/** Into the host by an interface, for the host itself. */
export function* intoHost(trip: Trip, side: HostSide): Generator<Passage, void> {
  yield* ofHost(trip, side, 'ingress');
}

/** Out of the host by an interface, from the host itself. */
export function* outOfHost(trip: Trip, side: HostSide): Generator<Passage, void> {
  yield* ofHost(trip, side, 'egress');
}

function* ofHost(trip: Trip, side: HostSide, direction: Direction): Generator<Passage, void> {
  const endpoint = hostEndpointAt(trip.model, side);
  if (endpoint === undefined) return;
  if (!(yield* early(trip, endpoint, direction))) yield* local(trip, endpoint, direction);
}

/**
 * Into the host by an interface, for something behind it: true when later stages are not asked any more. `inside` is
 * how the packet looks when the host has translated its destination.
 */
export function* throughInto(trip: Trip, side: HostSide, inside: Trip = trip): Generator<Passage, boolean> {
  const endpoint = hostEndpointAt(trip.model, side);
  if (endpoint === undefined) return false;
  if (yield* early(trip, endpoint, 'ingress')) return true;
  yield* forwarded(inside, endpoint, 'ingress');
  return false;
}

/** Out of the host by an interface, from something behind it. */
export function* throughOutOf(trip: Trip, side: HostSide): Generator<Passage, void> {
  const endpoint = hostEndpointAt(trip.model, side);
  if (endpoint !== undefined) yield* forwarded(trip, endpoint, 'egress');
}
