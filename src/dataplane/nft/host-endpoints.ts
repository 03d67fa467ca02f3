import type { Logger } from '../../base/index.js';
import { claimsOnInterfaces } from '../../policy/index.js';
import type {
  Direction,
  Endpoint,
  EndpointId,
  HostInterfaces,
  LocalEndpoint,
  Stage,
} from '../../policy/index.js';
import type { DesiredRuleset, OwnedObjects } from './desired-ruleset.js';
import { goTo, setElement } from './endpoint-elements.js';
import type { ElementsByMap } from './endpoint-elements.js';
import { noLists, policyList, profileList } from './list-key.js';
import type { HeldLists, ListKey } from './list-key.js';
import type { Lists } from './lists.js';
import type { Chain } from './model.js';
import { baseNames, hostListName, hostMap, hostProfileMap } from './names.js';
import { makeRule } from './rule-text.js';
import { isInterfaceName } from './text.js';

/** What the fixed part of the table must have for host endpoints: only hooks in use are registered. */
export type HostStages = ReadonlySet<Stage>;

const directions: readonly Direction[] = ['egress', 'ingress'];
const stages: readonly Stage[] = ['untracked', 'pre-dnat', 'forward', 'normal'];

/** Destination NAT is for what comes in. */
function directionsOf(stage: Stage): readonly Direction[] {
  return stage === 'pre-dnat' ? ['ingress'] : directions;
}

/** Ports that stay open whatever policy says; of what is forwarded the host's ports are no business. */
const failsafeChains: Readonly<Record<Stage, Readonly<Record<Direction, string | undefined>>>> = {
  untracked: { ingress: baseNames.failsafeRawIn, egress: baseNames.failsafeRawOut },
  'pre-dnat': { ingress: baseNames.failsafeIn, egress: undefined },
  forward: { ingress: undefined, egress: undefined },
  normal: { ingress: baseNames.failsafeIn, egress: baseNames.failsafeOut },
};

/** Where packets of an interface go at one stage in one direction. */
interface Entry {
  readonly stage: Stage;
  readonly direction: Direction;
  /** chain that decides; undefined: nothing does, so all is dropped */
  readonly first: string | undefined;
  readonly profiles: string | undefined;
}

function entryChain({ stage, direction, first }: Entry): Chain | undefined {
  const failsafe = failsafeChains[stage][direction];
  if (failsafe === undefined) return undefined;
  return {
    name: hostListName(direction, `${stage} ${first ?? ''}`),
    rules: [
      makeRule([], { kind: 'jump', chain: failsafe }),
      makeRule([], goTo(first), first ? '' : 'host endpoint has no policy and no profile'),
    ],
  };
}

function objectsOf(names: readonly string[], entries: readonly Entry[]): OwnedObjects {
  const elements: ElementsByMap = new Map();
  const chains: Chain[] = [];
  for (const entry of entries) {
    const { stage, direction, first, profiles } = entry;
    const chain = entryChain(entry);
    if (chain !== undefined) chains.push(chain);
    for (const name of names) {
      setElement(elements, hostMap(direction, stage), name, goTo(chain?.name ?? first));
      if (profiles !== undefined) setElement(elements, hostProfileMap(direction), name, goTo(profiles));
    }
  }
  return { chains, elements };
}

interface HostEndpointParts {
  readonly desired: DesiredRuleset;
  readonly lists: Lists;
  readonly interfacePrefixes: () => readonly string[];
  readonly log: Logger;
}

/**
 * The host endpoints of this host. Which interfaces each is in force on follows from all of them and from the
 * host's addresses, so all are bound anew when anything changes: there are few.
 */
export class HostEndpoints {
  readonly #parts: HostEndpointParts;
  readonly #locals = new Map<EndpointId, LocalEndpoint>();
  readonly #held = new Map<EndpointId, HeldLists>();
  #bound: ReadonlyMap<EndpointId, readonly string[]> = new Map();
  #interfaces: HostInterfaces = new Map();
  #isStale = false;
  #isMoved = false;
  #warned = new Set<string>();

  constructor(parts: HostEndpointParts) {
    this.#parts = parts;
  }

  /** The stages at which any endpoint has something to say. */
  get stages(): HostStages {
    const inUse = new Set<Stage>();
    for (const { stages: tiers = {} } of this.#locals.values()) {
      inUse.add('normal');
      for (const stage of stages) if (Object.hasOwn(tiers, stage)) inUse.add(stage);
    }
    return inUse;
  }

  set(id: EndpointId, local: LocalEndpoint | undefined): void {
    if (local === undefined && !this.#locals.delete(id)) return;
    if (local !== undefined) this.#locals.set(id, local);
    this.#isStale = true;
  }

  setInterfaces(interfaces: HostInterfaces): void {
    this.#interfaces = interfaces;
    this.#isStale = true;
  }

  /** Finds each one's interfaces and lists after one or more of the calls above. */
  bind(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#isMoved = true;
    this.#bound = this.#boundInterfaces();
    for (const id of new Set([...this.#held.keys(), ...this.#locals.keys()])) this.#hold(id);
  }

  /** Leads the interfaces to their lists, whose places must be settled. */
  place(): void {
    if (!this.#isMoved) return;
    this.#isMoved = false;
    for (const [id, held] of this.#held) this.#place(id, held);
  }

  #boundInterfaces(): ReadonlyMap<EndpointId, readonly string[]> {
    const endpoints = [...this.#locals.values()].map(local => local.endpoint);
    const warnings = new Set<string>();
    const bound = new Map<EndpointId, string[]>();
    for (const [name, [first, ...others]] of claimsOnInterfaces(endpoints, this.#interfaces)) {
      if (first === undefined) continue;
      const problem = this.#problemOf(name, first, others);
      if (problem !== undefined) warnings.add(problem);
      if (this.#isPoliceable(name)) bound.set(first.id, [...(bound.get(first.id) ?? []), name]);
    }
    for (const problem of warnings.difference(this.#warned)) this.#parts.log.warn(problem);
    this.#warned = warnings;
    return bound;
  }

  #isPoliceable(name: string): boolean {
    const isWorkload = this.#parts.interfacePrefixes().some(prefix => name.startsWith(prefix));
    return isInterfaceName(name) && !isWorkload;
  }

  #problemOf(name: string, { id }: Endpoint, others: readonly Endpoint[]): string | undefined {
    if (!this.#isPoliceable(name)) {
      return `host endpoint ${id} is not in force on ${JSON.stringify(name)}: a workload’s interface, or no name that can be used`;
    }
    if (others.length === 0) return undefined;
    return `Interface ${name} matched with multiple entries in datamodel; using ${id}`;
  }

  #hold(id: EndpointId): void {
    const local = this.#bound.has(id) ? this.#locals.get(id) : undefined;
    const held = local === undefined ? noLists : listsOf(local);
    this.#parts.lists.hold(this.#held.get(id) ?? noLists, held);
    if (local !== undefined) this.#held.set(id, held);
    else if (this.#held.delete(id)) this.#parts.desired.remove(`host endpoint ${id}`);
  }

  #place(id: EndpointId, held: HeldLists): void {
    const entries = stages.flatMap(stage =>
      directionsOf(stage).flatMap(direction => this.#entry(held, stage, direction)),
    );
    this.#parts.desired.put(`host endpoint ${id}`, objectsOf(this.#bound.get(id) ?? [], entries));
  }

  #entry(held: HeldLists, stage: Stage, direction: Direction): readonly Entry[] {
    const nameOf = (place: string): string | undefined => {
      const key = held.get(place);
      return key === undefined ? undefined : this.#parts.lists.nameOf(key);
    };
    const first = nameOf(`${stage} ${direction}`);
    if (stage !== 'normal')
      return first === undefined ? [] : [{ stage, direction, first, profiles: undefined }];
    const profiles = nameOf(`profiles ${direction}`);
    return [{ stage, direction, first: first ?? profiles, profiles }];
  }
}

/** By `STAGE DIRECTION`, and `profiles DIRECTION`. */
function listsOf(local: LocalEndpoint): HeldLists {
  const held = new Map<string, ListKey>();
  const use = (place: string, key: ListKey | undefined): void => {
    if (key !== undefined) held.set(place, key);
  };
  for (const stage of stages) {
    for (const direction of directionsOf(stage)) {
      use(`${stage} ${direction}`, policyList(local, direction, stage));
    }
  }
  for (const direction of directions) use(`profiles ${direction}`, profileList(local, direction));
  return held;
}
