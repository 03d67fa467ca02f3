import { messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import { ROUTE_PROTOCOL } from '../../net/index.js';
import type { HostNetwork, NetworkChange } from '../../netlink/index.js';
import type { DataplaneUpdate, Endpoint, EndpointId } from '../../policy/index.js';
import type { ObjectProblem } from '../problem.js';
import type { OnRepair } from '../repair.js';
import { applyAction } from './apply.js';
import type { ApplyTarget, Progress } from './apply.js';
import { Claims } from './claims.js';
import { Observed } from './observed.js';
import { addressOf, GATEWAY_DESTINATION, planDestination, planInterface } from './plan.js';
import type { DestinationPlan, PlumbingAction } from './plan.js';
import { Repairs } from './repairs.js';
import { configureHost } from './settings.js';
import { endpointState } from './state.js';
import type { EndpointState } from './state.js';

/** Somebody who keeps taking our route away is answered this often at most. */
const REPAIR_DELAY_MS = 200;
/** How long released addresses wait for others before the table of connections is walked, at some 10 ms. */
const RELEASE_DELAY_MS = 200;
/** A step that failed is tried again after this long. */
const RETRY_DELAY_MS = 1000;

export interface EndpointPlumbingConfig {
  /** what the name of a workload's interface starts with: `cali` */
  readonly interfacePrefixes: readonly string[];
  readonly ipv6: boolean;
  /** of our host routes; default 80 */
  readonly routeProtocol?: number;
  /** lets workloads reach services on the host's 127.0.0.0/8 by NAT; default false */
  readonly routeLocalnet?: boolean;
  /** how often everything is read again; default 90 s */
  readonly resyncSeconds?: number;
}

export interface EndpointPlumbingParts {
  /** not closed by us */
  readonly network: HostNetwork;
  readonly config: EndpointPlumbingConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly onRepair?: OnRepair;
}

/** Interface settings, host routes and neighbours of the workload endpoints of this host. */
export interface EndpointPlumbing {
  /** Lets the host forward, reads what is there and begins to follow it. Changes no route. */
  start(): void;
  /**
   * The first call must bring all endpoints of this host: with it our routes without endpoint are removed.
   * Does not fail for one endpoint's sake: see `states`.
   */
  apply(updates: readonly DataplaneUpdate[]): Promise<void>;
  /** Reads everything again and repairs what differs. */
  resync(): void;
  states(): ReadonlyMap<EndpointId, EndpointState>;
  /** What the kernel does not take, by interface or destination; each is tried again. */
  readonly problems: readonly ObjectProblem[];
  /** Tells of each change of state; undefined when the endpoint is gone. Returns what ends it. */
  onState(callback: (id: EndpointId, state: EndpointState | undefined) => void): () => void;
  /** Stops following; removes nothing, so that traffic goes on. */
  stop(): void;
}

export function createEndpointPlumbing(parts: EndpointPlumbingParts): EndpointPlumbing {
  return new KernelPlumbing(parts);
}

class KernelPlumbing implements EndpointPlumbing {
  readonly #parts: EndpointPlumbingParts;
  readonly #claims: Claims;
  readonly #observed: Observed;
  readonly #protocol: number;
  readonly #done: Progress = {
    configured: new Map(),
    proxies: new Map(),
    holders: new Map(),
    neighbours: new Map(),
  };
  readonly #failures = new Map<string, string>();
  readonly #states = new Map<EndpointId, EndpointState>();
  /** endpoints as they were last given: a change of policy alone is told of each, and is none of the plumbing's */
  readonly #given = new Map<EndpointId, Endpoint>();
  readonly #listeners = new Set<(id: EndpointId, state: EndpointState | undefined) => void>();
  /** destinations to look at when the repair delay is over */
  readonly #suspects = new Set<string>();
  /** links whose settings somebody wrote, to be looked at with the suspects */
  readonly #written = new Set<number | 'all'>();
  /** destinations that left their endpoint and whose connections are still to be forgotten */
  readonly #released = new Set<string>();
  readonly #ended = new AbortController();
  readonly #repairs: Repairs;
  #watch: { close(): void } | undefined;
  #complete = false;
  #repairing = false;

  constructor(parts: EndpointPlumbingParts) {
    this.#parts = parts;
    this.#repairs = new Repairs(parts);
    this.#protocol = parts.config.routeProtocol ?? ROUTE_PROTOCOL;
    this.#claims = new Claims(parts.config);
    this.#observed = new Observed(this.#protocol);
  }

  start(): void {
    const { network, config } = this.#parts;
    configureHost(network, config.ipv6, this.#settingProblem);
    // In this order: what changes between the two is then in the events.
    this.#watch = network.watch(change => {
      this.#onChange(change);
    });
    this.#observed.reset(network.links(), network.routes());
    this.#resyncForever();
  }

  // Part of a row of dataplanes, of which others have to wait for something.
  // oxlint-disable-next-line typescript/require-await
  async apply(updates: readonly DataplaneUpdate[]): Promise<void> {
    const destinations = new Set<string>();
    const interfaces = new Set<string>();
    for (const update of updates) {
      if (update.kind !== 'endpoint-updated' && update.kind !== 'endpoint-removed') continue;
      const endpoint = update.kind === 'endpoint-updated' ? update.local.endpoint : undefined;
      if (endpoint !== undefined && this.#given.get(update.id) === endpoint) continue;
      const change = this.#claims.update(update.id, endpoint);
      for (const destination of change.destinations) destinations.add(destination);
      for (const name of change.interfaces) interfaces.add(name);
      if (this.#claims.get(update.id) === undefined) this.#setState(update.id, undefined);
    }
    destinations.add(GATEWAY_DESTINATION);
    if (this.#complete) this.#reconcile(destinations, interfaces);
    else {
      this.#complete = true;
      this.#reconcileAll();
    }
    this.#noteGiven(updates);
  }

  /** Not before they were worked on: what threw on the way comes again. */
  #noteGiven(updates: readonly DataplaneUpdate[]): void {
    for (const update of updates) {
      if (update.kind === 'endpoint-updated') this.#given.set(update.id, update.local.endpoint);
      else if (update.kind === 'endpoint-removed') this.#given.delete(update.id);
    }
  }

  resync(): void {
    const { network } = this.#parts;
    this.#observed.reset(network.links(), network.routes());
    this.#done.configured.clear();
    this.#done.proxies.clear();
    this.#done.neighbours.clear();
    this.#repairs.during(() => {
      this.#letForward();
      if (this.#complete) this.#reconcileAll();
    });
  }

  states(): ReadonlyMap<EndpointId, EndpointState> {
    return this.#states;
  }

  get problems(): readonly ObjectProblem[] {
    return [...this.#failures].map(([object, problem]) => ({ object, problem }));
  }

  onState(callback: (id: EndpointId, state: EndpointState | undefined) => void): () => void {
    this.#listeners.add(callback);
    return () => {
      this.#listeners.delete(callback);
    };
  }

  stop(): void {
    this.#ended.abort();
    this.#forgetReleased();
    this.#watch?.close();
    this.#watch = undefined;
  }

  #onChange({ events, overrun }: NetworkChange): void {
    if (overrun) {
      this.#parts.log.warn('events of the kernel were lost; reading links and routes again');
      this.#readAgain();
      return;
    }
    const now = this.#parts.clock.monotonic();
    const interfaces = new Set<string>();
    for (const event of events) {
      const change = this.#observed.note(event, now);
      for (const name of change.interfaces) interfaces.add(name);
      for (const destination of change.destinations) this.#suspects.add(destination);
      if (event.kind === 'link-gone') this.#done.configured.delete(event.link.name);
      else if (event.kind === 'settings') this.#written.add(event.link);
    }
    if (!this.#complete) return;
    if (interfaces.size > 0) this.#reconcile(this.#destinationsOn(interfaces), interfaces);
    this.#suspects.add(GATEWAY_DESTINATION);
    this.#repairLater(REPAIR_DELAY_MS);
  }

  #destinationsOn(interfaces: ReadonlySet<string>): Set<string> {
    const workloads = [...interfaces].flatMap(name => this.#claims.onInterface(name));
    return new Set(workloads.flatMap(workload => this.#claims.destinationsOf(workload)));
  }

  /** One timer for all: it looks only at what is suspect or failed. */
  #repairLater(delayMs: number): void {
    if (this.#repairing) return;
    this.#repairing = true;
    this.#after(delayMs, () => {
      this.#repairing = false;
      const failed = [...this.#failures.keys()];
      // A destination has a slash, the name of an interface cannot have one.
      const suspects = new Set([...this.#suspects, ...failed.filter(key => key.includes('/'))]);
      this.#suspects.clear();
      const interfaces = failed.filter(key => !key.includes('/'));
      this.#repairs.during(() => {
        this.#reconcile(suspects, new Set([...interfaces, ...this.#forgetSettings()]));
      });
    });
  }

  /** What we wrote ourselves comes here too, once, and differs in nothing. */
  #forgetSettings(): readonly string[] {
    const written = [...this.#written];
    this.#written.clear();
    if (written.includes('all')) this.#letForward();
    return written.flatMap(index => {
      const name = index === 'all' ? undefined : this.#observed.linkAt(index)?.link.name;
      return name !== undefined && this.#done.configured.delete(name) ? [name] : [];
    });
  }

  #letForward(): void {
    const { network, config } = this.#parts;
    try {
      const count = configureHost(network, config.ipv6, this.#settingProblem);
      this.#repairs.note('forwarding', { kind: 'setting', count });
    } catch (error) {
      this.#settingProblem('forwarding', messageOf(error));
    }
  }

  #reconcileAll(): void {
    const destinations = new Set([
      ...this.#claims.destinations(),
      ...this.#observed.destinations(),
      ...this.#done.holders.keys(),
      GATEWAY_DESTINATION,
    ]);
    this.#reconcile(destinations, new Set(this.#claims.interfaces()));
  }

  /**
   * What must go, then the connections of addresses that nobody has any more, then what must come: interfaces
   * first, because a route brings traffic for which the settings must be ready.
   */
  #reconcile(destinations: ReadonlySet<string>, interfaces: ReadonlySet<string>): void {
    const world = {
      claims: this.#claims,
      observed: this.#observed,
      done: this.#done,
      now: this.#parts.clock.monotonic(),
    };
    const plans = [...destinations]
      .map(destination => ({ destination, ...planDestination(world, destination) }))
      .filter(({ destination, removals }) => this.#attempt(destination, removals));
    this.#release(plans);
    for (const name of interfaces) {
      if (this.#attempt(name, planInterface(world, name))) this.#failures.delete(name);
    }
    for (const { destination, additions } of plans) {
      if (this.#attempt(destination, additions)) this.#failures.delete(destination);
      const holder = this.#claims.holder(destination);
      const present = this.#observed.routesTo(destination).length > 0;
      if (holder !== undefined && present) this.#done.holders.set(destination, holder.id);
    }
    this.#updateStates(destinations, interfaces);
    if (this.#failures.size > 0) this.#repairLater(RETRY_DELAY_MS);
  }

  /** Ends connections now when one of those addresses is about to be given again, otherwise a little later. */
  #release(plans: readonly (DestinationPlan & { readonly destination: string })[]): void {
    const waiting = this.#released.size > 0;
    for (const { destination, released } of plans) {
      if (!released) continue;
      this.#released.add(destination);
      this.#done.holders.delete(destination);
    }
    if (this.#released.size === 0) return;
    const urgent = plans.some(
      ({ destination, additions }) => additions.length > 0 && this.#released.has(destination),
    );
    if (urgent) this.#forgetReleased();
    else if (!waiting) {
      this.#after(RELEASE_DELAY_MS, () => {
        this.#forgetReleased();
      });
    }
  }

  /** That this fails keeps no route waiting. */
  #forgetReleased(): void {
    if (this.#released.size === 0) return;
    const addresses = [...this.#released].map(addressOf);
    this.#released.clear();
    try {
      const count = this.#parts.network.forgetConnections(addresses);
      this.#parts.log.debug('connections of released addresses forgotten', { addresses, count });
    } catch (error) {
      this.#parts.log.warn('connections of released addresses stay', { addresses, reason: messageOf(error) });
    }
  }

  /** Takes steps until one fails; the failure is kept under `key` and shows in the states. */
  #attempt(key: string, actions: readonly PlumbingAction[]): boolean {
    const target = this.#target();
    try {
      for (const action of actions) {
        const changed = applyAction(target, action);
        // What had failed before was never right.
        if (!this.#failures.has(key)) this.#repairs.note(key, changed);
      }
      return true;
    } catch (error) {
      const reason = messageOf(error);
      if (this.#failures.get(key) !== reason) this.#parts.log.warn('plumbing failed', { of: key, reason });
      this.#failures.set(key, reason);
      return false;
    }
  }

  #target(): ApplyTarget {
    const { network, config } = this.#parts;
    return {
      network,
      protocol: this.#protocol,
      observed: this.#observed,
      done: this.#done,
      settings: { ipv6: config.ipv6, routeLocalnet: config.routeLocalnet ?? false },
      onSettingProblem: this.#settingProblem,
    };
  }

  readonly #settingProblem: ApplyTarget['onSettingProblem'] = (setting, problem) => {
    this.#parts.log.warn('a kernel setting could not be written', { setting, problem });
  };

  #updateStates(destinations: ReadonlySet<string>, interfaces: ReadonlySet<string>): void {
    const touched = new Set<EndpointId>();
    for (const destination of destinations) {
      for (const id of this.#claims.claimants(destination)) touched.add(id);
    }
    for (const name of interfaces) for (const { id } of this.#claims.onInterface(name)) touched.add(id);
    const sources = { claims: this.#claims, observed: this.#observed, failures: this.#failures };
    for (const id of touched) {
      const workload = this.#claims.get(id);
      this.#setState(id, workload === undefined ? undefined : endpointState(sources, workload));
    }
  }

  #setState(id: EndpointId, state: EndpointState | undefined): void {
    const before = this.#states.get(id);
    if (JSON.stringify(before) === JSON.stringify(state)) return;
    if (state === undefined) this.#states.delete(id);
    else this.#states.set(id, state);
    for (const listener of this.#listeners) listener(id, state);
  }

  #resyncForever(): void {
    this.#after((this.#parts.config.resyncSeconds ?? 90) * 1000, () => {
      this.#readAgain();
      this.#resyncForever();
    });
  }

  #readAgain(): void {
    try {
      this.resync();
    } catch (error) {
      this.#parts.log.error('links and routes could not be read', { reason: messageOf(error) });
      this.#after(RETRY_DELAY_MS, () => {
        this.#readAgain();
      });
    }
  }

  /** Runs later, unless stopped by then. */
  #after(ms: number, run: () => void): void {
    this.#parts.clock.sleep(ms, this.#ended.signal).then(run, () => undefined);
  }
}
