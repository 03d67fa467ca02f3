import type { Logger } from '../../base/index.js';
import { parseIp } from '../../net/index.js';
import { governed } from '../../policy/index.js';
import type { Direction, EndpointId, LocalEndpoint } from '../../policy/index.js';
import type { DesiredRuleset, OwnedObjects } from './desired-ruleset.js';
import type { ListKey, Lists } from './lists.js';
import type { Chain, ElementValue, Verdict } from './model.js';
import { baseNames, hostListName, hostProfileMap, workloadMap, workloadProfileMap } from './names.js';
import { makeRule } from './rule-text.js';
import { isInterfaceName } from './text.js';

const directions: readonly Direction[] = ['egress', 'ingress'];

function policyList(local: LocalEndpoint, direction: Direction): ListKey | undefined {
  if (!governed(local, direction)) return undefined;
  const tiers = local.tiers.map(tier => tier[direction]).filter(policies => policies.length > 0);
  return { kind: 'policies', direction, tiers };
}

function profileList({ endpoint: { profiles } }: LocalEndpoint, direction: Direction): ListKey | undefined {
  return profiles.length === 0 ? undefined : { kind: 'profiles', direction, profiles };
}

/** Chains that decide for an endpoint in one direction: first its policies, or else its profiles. */
interface Entry {
  readonly direction: Direction;
  readonly first: string | undefined;
  readonly profiles: string | undefined;
}

type ElementsByMap = Map<string, Map<string, ElementValue>>;

function set(elements: ElementsByMap, map: string, key: string, value: ElementValue): void {
  elements.set(map, (elements.get(map) ?? new Map<string, ElementValue>()).set(key, value));
}

function goTo(chain: string | undefined): Verdict {
  return chain === undefined ? { kind: 'drop' } : { kind: 'goto', chain };
}

function workloadObjects(name: string, local: LocalEndpoint, entries: readonly Entry[]): OwnedObjects {
  const elements: ElementsByMap = new Map();
  const { adminUp, addresses } = local.endpoint;
  if (!adminUp) set(elements, baseNames.down, name, null);
  for (const { direction, first, profiles } of entries) {
    set(elements, workloadMap(direction), name, adminUp ? goTo(first) : { kind: 'drop' });
    if (profiles !== undefined) set(elements, workloadProfileMap(direction), name, goTo(profiles));
  }
  for (const address of addresses) {
    const version = parseIp(address)?.version;
    if (version === undefined) continue;
    set(elements, version === 4 ? baseNames.source4 : baseNames.source6, `${address} . ${name}`, null);
  }
  return { elements };
}

function hostChain(direction: Direction, first: string | undefined): Chain {
  const failsafe = direction === 'ingress' ? baseNames.failsafeIn : baseNames.failsafeOut;
  return {
    name: hostListName(direction, first ?? ''),
    rules: [makeRule([], { kind: 'jump', chain: failsafe }), makeRule([], goTo(first))],
  };
}

function hostObjects(name: string, entries: readonly Entry[]): OwnedObjects {
  const elements: ElementsByMap = new Map();
  const chains: Chain[] = [];
  for (const { direction, first, profiles } of entries) {
    const chain = hostChain(direction, first);
    chains.push(chain);
    set(elements, direction === 'ingress' ? baseNames.hostIn : baseNames.hostOut, name, goTo(chain.name));
    if (profiles !== undefined) set(elements, hostProfileMap(direction), name, goTo(profiles));
  }
  return { chains, elements };
}

/** The endpoints of this host as map elements; the chains they lead to are shared lists. */
export class Endpoints {
  readonly #desired: DesiredRuleset;
  readonly #lists: Lists;
  readonly #interfacePrefixes: () => readonly string[];
  readonly #log: Logger;
  /** lists that an endpoint holds */
  readonly #held = new Map<EndpointId, readonly ListKey[]>();
  readonly #hosts = new Set<EndpointId>();

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
  }

  /** True when there is any host endpoint, so that the host's own traffic must be dispatched. */
  get hasHostEndpoints(): boolean {
    return this.#hosts.size > 0;
  }

  set(id: EndpointId, local: LocalEndpoint): void {
    const { endpoint } = local;
    const name = endpoint.interfaceName;
    if (name === undefined || !this.#isUsable(id, name, endpoint.kind)) {
      this.remove(id);
      return;
    }
    const held: ListKey[] = [];
    const acquire = (key: ListKey | undefined): string | undefined => {
      if (key === undefined) return undefined;
      held.push(key);
      return this.#lists.acquire(key);
    };
    const entries = directions.map((direction): Entry => {
      const profiles = acquire(profileList(local, direction));
      return { direction, profiles, first: acquire(policyList(local, direction)) ?? profiles };
    });
    this.#releaseLists(id);
    this.#held.set(id, held);
    if (endpoint.kind === 'host') this.#hosts.add(id);
    else this.#hosts.delete(id);
    const objects =
      endpoint.kind === 'host' ? hostObjects(name, entries) : workloadObjects(name, local, entries);
    this.#desired.put(`endpoint ${id}`, objects);
  }

  remove(id: EndpointId): void {
    this.#desired.remove(`endpoint ${id}`);
    this.#releaseLists(id);
    this.#held.delete(id);
    this.#hosts.delete(id);
  }

  #releaseLists(id: EndpointId): void {
    for (const key of this.#held.get(id) ?? []) this.#lists.release(key);
  }

  /** A workload whose interface we cannot name stays closed: its interface is then an unknown one. */
  #isUsable(id: EndpointId, name: string, kind: 'workload' | 'host'): boolean {
    if (!isInterfaceName(name)) {
      this.#log.warn('endpoint not programmed: its interface name cannot be used', {
        endpoint: id,
        interface: name,
      });
      return false;
    }
    if (kind === 'workload' && !this.#interfacePrefixes().some(prefix => name.startsWith(prefix))) {
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
