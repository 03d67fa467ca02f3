import { messageOf } from '../../base/index.js';
import type { Clock, Logger } from '../../base/index.js';
import { canonicalIp } from '../../net/index.js';
import type { HostNetwork, LinkInfo } from '../../netlink/index.js';
import { claimsOnInterfaces } from '../../policy/index.js';
import type { DataplaneUpdate, Endpoint, EndpointId, HostInterfaces } from '../../policy/index.js';
import type { EndpointState } from './state.js';

/** Who changes links and addresses does it in several steps: one look for them. */
const SETTLE_MS = 100;

/** What is known of the host's interfaces, and which of them are workloads'. */
export interface HostView {
  readonly links: readonly LinkInfo[];
  /** addresses by name of the interface, canonical, without length */
  readonly interfaces: HostInterfaces;
  readonly interfacePrefixes: readonly string[];
}

function stateOn(names: readonly string[], { links }: HostView): EndpointState {
  const found = names.map(name => ({ name, link: links.find(link => link.name === name) }));
  if (found.some(({ link }) => link !== undefined && link.up && link.running)) return { state: 'up' };
  const [first] = found;
  const name = first?.name ?? '';
  const reason = first?.link === undefined ? `there is no interface ${name}` : `interface ${name} is down`;
  return { state: 'down', reason };
}

/** The states of a host's host endpoints: up where the interface that one is in force on is up. */
export function hostEndpointStates(
  endpoints: Iterable<Endpoint>,
  view: HostView,
): ReadonlyMap<EndpointId, EndpointState> {
  const all = [...endpoints];
  const claims = [...claimsOnInterfaces(all, view.interfaces)];
  const stateOf = ({ id }: Endpoint): EndpointState => {
    const claimed = claims.filter(([, by]) => by.some(each => each.id === id));
    const own = claimed.filter(([, by]) => by[0]?.id === id).map(([name]) => name);
    const usable = own.filter(name => !view.interfacePrefixes.some(prefix => name.startsWith(prefix)));
    const [lost] = claimed;
    if (usable.length > 0) return stateOn(usable, view);
    if (own.length > 0)
      return { state: 'error', reason: `interface ${own.join()} is a workload's by its name` };
    if (lost === undefined) return { state: 'down', reason: 'no interface has one of its addresses' };
    return { state: 'error', reason: `interface ${lost[0]} has host endpoint ${lost[1][0]?.id ?? ''}` };
  };
  return new Map(all.map(endpoint => [endpoint.id, stateOf(endpoint)]));
}

export interface HostStatesParts {
  /** not closed by us */
  readonly network: Pick<HostNetwork, 'links' | 'addresses' | 'watch'>;
  readonly interfacePrefixes: readonly string[];
  readonly log: Logger;
  readonly clock: Clock;
}

/** Keeps the states of this host's host endpoints as endpoints, links and addresses change. */
export class HostEndpointStates {
  /** none of what it does can be missing in the kernel */
  readonly problems = [];
  readonly #parts: HostStatesParts;
  readonly #endpoints = new Map<EndpointId, Endpoint>();
  readonly #ended = new AbortController();
  readonly #listeners = new Set<(id: EndpointId) => void>();
  readonly #watch: { close(): void };
  #states: ReadonlyMap<EndpointId, EndpointState> = new Map();
  #isWaiting = false;

  constructor(parts: HostStatesParts) {
    this.#parts = parts;
    this.#watch = parts.network.watch(() => {
      // Nobody asks on a host without host endpoints, where workloads come and go all the time.
      if (this.#endpoints.size > 0) this.#lookSoon();
    });
  }

  // Part of a row of dataplanes, of which others have to wait for something.
  // oxlint-disable-next-line typescript/require-await
  async apply(updates: readonly DataplaneUpdate[]): Promise<void> {
    let touched = false;
    for (const update of updates) {
      if (update.kind === 'endpoint-updated' && update.local.endpoint.kind === 'host') {
        this.#endpoints.set(update.id, update.local.endpoint);
        touched = true;
      } else if (update.kind === 'endpoint-removed') touched = this.#endpoints.delete(update.id) || touched;
    }
    if (touched) this.#look();
  }

  states(): ReadonlyMap<EndpointId, EndpointState> {
    return this.#states;
  }

  /** The host's interfaces that have addresses, workloads' left out, as they are now. */
  interfaces(): HostInterfaces {
    const { network, interfacePrefixes } = this.#parts;
    const names = new Map(network.links().map(({ index, name }) => [index, name]));
    const interfaces = new Map<string, string[]>();
    for (const { interfaceIndex, address } of network.addresses()) {
      const name = names.get(interfaceIndex);
      const own = canonicalIp(address.split('/', 1)[0] ?? '');
      if (name === undefined || own === undefined) continue;
      if (interfacePrefixes.some(prefix => name.startsWith(prefix))) continue;
      interfaces.set(name, [...(interfaces.get(name) ?? []), own]);
    }
    return interfaces;
  }

  /** Tells of each change of a state, also of its end. Returns what ends that. */
  onState(callback: (id: EndpointId) => void): () => void {
    this.#listeners.add(callback);
    return () => {
      this.#listeners.delete(callback);
    };
  }

  stop(): void {
    this.#ended.abort();
    this.#watch.close();
  }

  #lookSoon(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#parts.clock.sleep(SETTLE_MS, this.#ended.signal).then(
      () => {
        this.#isWaiting = false;
        this.#look();
      },
      () => undefined,
    );
  }

  #look(): void {
    const before = this.#states;
    try {
      this.#states = hostEndpointStates(this.#endpoints.values(), this.#view());
    } catch (error) {
      this.#parts.log.warn('the states of host endpoints are old', { reason: messageOf(error) });
      this.#lookSoon();
      return;
    }
    for (const id of new Set([...before.keys(), ...this.#states.keys()])) {
      if (JSON.stringify(before.get(id)) === JSON.stringify(this.#states.get(id))) continue;
      for (const listener of this.#listeners) listener(id);
    }
  }

  #view(): HostView {
    const { network, interfacePrefixes } = this.#parts;
    return { links: network.links(), interfaces: this.interfaces(), interfacePrefixes };
  }
}
