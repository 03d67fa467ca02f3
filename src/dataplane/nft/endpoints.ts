import type { Logger } from '../../base/index.js';
import { parseIp } from '../../net/index.js';
import type { Direction, Endpoint, EndpointId, HostInterfaces, LocalEndpoint } from '../../policy/index.js';
import type { DesiredRuleset, OwnedObjects } from './desired-ruleset.js';
import { dropFor } from './drops.js';
import { goTo, setElement } from './endpoint-elements.js';
import type { ElementsByMap } from './endpoint-elements.js';
import { HostEndpoints } from './host-endpoints.js';
import type { HostStages } from './host-endpoints.js';
import { noLists, policyList, profileList } from './list-key.js';
import type { HeldLists, ListKey } from './list-key.js';
import type { Lists } from './lists.js';
import { baseNames, workloadMap, workloadProfileMap } from './names.js';
import { remembering } from './remembering.js';
import { isInterfaceName } from './text.js';

const directions: readonly Direction[] = ['egress', 'ingress'];

/** Chains that decide for an endpoint in one direction: first its policies, or else its profiles. */
interface Entry {
  readonly direction: Direction;
  readonly first: string | undefined;
  readonly profiles: string | undefined;
}

function workloadObjects(name: string, endpoint: Endpoint, entries: readonly Entry[]): OwnedObjects {
  const elements: ElementsByMap = new Map();
  const { adminUp, addresses } = endpoint;
  if (!adminUp) setElement(elements, baseNames.down, name, null);
  for (const { direction, first, profiles } of entries) {
    setElement(elements, workloadMap(direction), name, adminUp ? goTo(first) : dropFor('endpoint-down'));
    if (profiles !== undefined) setElement(elements, workloadProfileMap(direction), name, goTo(profiles));
  }
  for (const address of addresses) {
    const version = parseIp(address)?.version;
    if (version === undefined) continue;
    setElement(elements, version === 4 ? baseNames.source4 : baseNames.source6, `${address} . ${name}`, null);
  }
  return { elements };
}

/** What an endpoint's elements were last made of. */
interface PlacedWorkload {
  readonly endpoint: Endpoint;
  readonly entries: readonly Entry[];
}

function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.every((entry, index) => {
    const other = b[index];
    return entry.first === other?.first && entry.profiles === other?.profiles;
  });
}

/** The endpoints of this host as map elements; the chains they lead to are shared lists. */
export class Endpoints {
  readonly #desired: DesiredRuleset;
  readonly #lists: Lists;
  readonly #interfacePrefixes: () => readonly string[];
  readonly #log: Logger;
  /** lists that an endpoint uses */
  readonly #held = new Map<EndpointId, HeldLists>();
  /** have other data or lists than their elements say */
  readonly #moved = new Set<EndpointId>();
  readonly #placed = new Map<EndpointId, PlacedWorkload>();
  /** by tiers, then by profiles */
  readonly #known = new WeakMap<LocalEndpoint['tiers'], Map<string, HeldLists>>();
  readonly #hosts: HostEndpoints;
  readonly #locals = new Map<EndpointId, LocalEndpoint>();

  constructor(parts: {
    readonly desired: DesiredRuleset;
    readonly lists: Lists;
    readonly interfacePrefixes: () => readonly string[];
    readonly log: Logger;
  }) {
    this.#desired = parts.desired;
    this.#lists = parts.lists;
    this.#interfacePrefixes = parts.interfacePrefixes;
    this.#log = parts.log;
    this.#hosts = new HostEndpoints(parts);
  }

  /** The stages at which host endpoints have something to say, so that packets must be dispatched there. */
  get hostStages(): HostStages {
    return this.#hosts.stages;
  }

  setHostInterfaces(interfaces: HostInterfaces): void {
    this.#hosts.setInterfaces(interfaces);
  }

  /** Ends a batch: binds host endpoints to their interfaces. Which lists are in use is known from then on. */
  bind(): void {
    this.#hosts.bind();
  }

  /** Leads the interfaces to their lists, whose places must be settled. */
  place(): void {
    const entriesOf = remembering((held: HeldLists) => this.#entriesOf(held));
    for (const id of this.#moved) this.#place(id, entriesOf);
    this.#moved.clear();
    this.#hosts.place();
  }

  get(id: EndpointId): LocalEndpoint | undefined {
    return this.#locals.get(id);
  }

  set(id: EndpointId, local: LocalEndpoint): void {
    this.#locals.set(id, local);
    const { endpoint } = local;
    const isHost = endpoint.kind === 'host';
    this.#hosts.set(id, isHost ? local : undefined);
    const name = endpoint.interfaceName;
    if (isHost || name === undefined || !this.#isUsable(id, name)) this.#removeWorkload(id);
    else this.#setWorkload(id, local);
  }

  remove(id: EndpointId): void {
    this.#locals.delete(id);
    this.#hosts.set(id, undefined);
    this.#removeWorkload(id);
  }

  #setWorkload(id: EndpointId, local: LocalEndpoint): void {
    const held = this.#listsOf(local);
    this.#lists.hold(this.#held.get(id) ?? noLists, held);
    this.#held.set(id, held);
    this.#moved.add(id);
  }

  /** Endpoints that match the same policies share the tiers that the graph gave them, and so the lists made of them. */
  #listsOf(local: LocalEndpoint): HeldLists {
    const profiles = JSON.stringify(local.endpoint.profiles);
    const known = this.#known.get(local.tiers) ?? new Map<string, HeldLists>();
    const alike = known.get(profiles);
    if (alike !== undefined) return alike;
    const held = new Map<string, ListKey>();
    for (const direction of directions) {
      const [policies, own] = [policyList(local, direction, 'normal'), profileList(local, direction)];
      if (policies !== undefined) held.set(`${direction} policies`, policies);
      if (own !== undefined) held.set(`${direction} profiles`, own);
    }
    this.#known.set(local.tiers, known.set(profiles, held));
    return held;
  }

  #place(id: EndpointId, entriesOf: (held: HeldLists) => readonly Entry[]): void {
    const endpoint = this.#locals.get(id)?.endpoint;
    const held = this.#held.get(id);
    if (endpoint?.interfaceName === undefined || held === undefined) return;
    const entries = entriesOf(held);
    // Other policies at the same place are no change of the endpoint's.
    const former = this.#placed.get(id);
    if (former?.endpoint === endpoint && sameEntries(entries, former.entries)) return;
    this.#placed.set(id, { endpoint, entries });
    this.#desired.put(`endpoint ${id}`, workloadObjects(endpoint.interfaceName, endpoint, entries));
  }

  #entriesOf(held: HeldLists): readonly Entry[] {
    const nameOf = (place: string): string | undefined => {
      const key = held.get(place);
      return key === undefined ? undefined : this.#lists.nameOf(key);
    };
    return directions.map(direction => {
      const profiles = nameOf(`${direction} profiles`);
      return { direction, profiles, first: nameOf(`${direction} policies`) ?? profiles };
    });
  }

  #removeWorkload(id: EndpointId): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#lists.hold(held, noLists);
    this.#held.delete(id);
    this.#placed.delete(id);
    this.#desired.remove(`endpoint ${id}`);
  }

  /** A workload whose interface we cannot name stays closed: its interface is then an unknown one. */
  #isUsable(id: EndpointId, name: string): boolean {
    if (!isInterfaceName(name)) {
      this.#log.warn('endpoint not programmed: its interface name cannot be used', {
        endpoint: id,
        interface: name,
      });
      return false;
    }
    if (!this.#interfacePrefixes().some(prefix => name.startsWith(prefix))) {
      this.#log.warn(
        'workload interface has none of the configured prefixes: its traffic to this host is not policed',
        {
          endpoint: id,
          interface: name,
        },
      );
    }
    return true;
  }
}
