import type { Logger } from '../../base/index.js';
import { parseIp } from '../../net/index.js';
import type { Direction, EndpointId, HostInterfaces, LocalEndpoint } from '../../policy/index.js';
import type { DesiredRuleset, OwnedObjects } from './desired-ruleset.js';
import { dropFor } from './drops.js';
import { goTo, policyList, profileList, setElement } from './endpoint-lists.js';
import type { ElementsByMap } from './endpoint-lists.js';
import { HostEndpoints } from './host-endpoints.js';
import type { HostStages } from './host-endpoints.js';
import type { ListKey, Lists } from './lists.js';
import { baseNames, workloadMap, workloadProfileMap } from './names.js';
import { isInterfaceName } from './text.js';

const directions: readonly Direction[] = ['egress', 'ingress'];

/** Chains that decide for an endpoint in one direction: first its policies, or else its profiles. */
interface Entry {
  readonly direction: Direction;
  readonly first: string | undefined;
  readonly profiles: string | undefined;
}

function workloadObjects(name: string, local: LocalEndpoint, entries: readonly Entry[]): OwnedObjects {
  const elements: ElementsByMap = new Map();
  const { adminUp, addresses } = local.endpoint;
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

/** The endpoints of this host as map elements; the chains they lead to are shared lists. */
export class Endpoints {
  readonly #desired: DesiredRuleset;
  readonly #lists: Lists;
  readonly #interfacePrefixes: () => readonly string[];
  readonly #log: Logger;
  /** lists that an endpoint holds */
  readonly #held = new Map<EndpointId, readonly ListKey[]>();
  readonly #policyLists: Readonly<Record<Direction, WeakMap<LocalEndpoint['tiers'], ListKey | undefined>>> = {
    egress: new WeakMap(),
    ingress: new WeakMap(),
  };
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

  /** Ends a batch: binds host endpoints to their interfaces. */
  settle(): void {
    this.#hosts.bind();
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
    else this.#setWorkload(id, name, local);
  }

  remove(id: EndpointId): void {
    this.#locals.delete(id);
    this.#hosts.set(id, undefined);
    this.#removeWorkload(id);
  }

  #setWorkload(id: EndpointId, name: string, local: LocalEndpoint): void {
    const held: ListKey[] = [];
    const acquire = (key: ListKey | undefined): string | undefined => {
      if (key === undefined) return undefined;
      held.push(key);
      return this.#lists.acquire(key);
    };
    const entries = directions.map((direction): Entry => {
      const profiles = acquire(profileList(local, direction));
      return { direction, profiles, first: acquire(this.#policyList(local, direction)) ?? profiles };
    });
    this.#releaseLists(id);
    this.#held.set(id, held);
    this.#desired.put(`endpoint ${id}`, workloadObjects(name, local, entries));
  }

  /** Endpoints that match the same policies share the tiers that the graph gave them, and so the key made of them. */
  #policyList(local: LocalEndpoint, direction: Direction): ListKey | undefined {
    const keys = this.#policyLists[direction];
    if (!keys.has(local.tiers)) keys.set(local.tiers, policyList(local, direction, 'normal'));
    return keys.get(local.tiers);
  }

  #removeWorkload(id: EndpointId): void {
    if (!this.#held.has(id)) return;
    this.#desired.remove(`endpoint ${id}`);
    this.#releaseLists(id);
    this.#held.delete(id);
  }

  #releaseLists(id: EndpointId): void {
    for (const key of this.#held.get(id) ?? []) this.#lists.release(key);
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
