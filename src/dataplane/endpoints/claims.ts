import { MultiMap } from '../../base/index.js';
import { formatCidr, hostCidr, parseIp } from '../../net/index.js';
import type { Endpoint, EndpointId } from '../../policy/index.js';

export interface ClaimOptions {
  /** what the name of a workload's interface starts with */
  readonly interfacePrefixes: readonly string[];
  readonly ipv6: boolean;
}

/** A workload endpoint with the interface that it must have. */
export type Workload = Endpoint & { readonly interfaceName: string };

/**
 * What the workload endpoints of this host want: each its interface and a host route for each address. Two
 * endpoints may claim one address by mistake or for the moment of a move: the one with the lowest id holds it,
 * whichever came first.
 */
export class Claims {
  readonly #options: ClaimOptions;
  readonly #workloads = new Map<EndpointId, Workload>();
  readonly #byInterface = new MultiMap<string, EndpointId>();
  readonly #byDestination = new MultiMap<string, EndpointId>();

  constructor(options: ClaimOptions) {
    this.#options = options;
  }

  /** Takes an endpoint's new form, or its end; returns every destination and interface that it touches. */
  update(id: EndpointId, endpoint: Endpoint | undefined): ClaimChange {
    const before = this.#workloads.get(id);
    const after = endpoint === undefined ? undefined : asWorkload(endpoint);
    if (before !== undefined) {
      this.#byInterface.delete(before.interfaceName, id);
      for (const destination of this.destinationsOf(before)) this.#byDestination.delete(destination, id);
    }
    if (after === undefined) this.#workloads.delete(id);
    else {
      this.#workloads.set(id, after);
      this.#byInterface.add(after.interfaceName, id);
      for (const destination of this.destinationsOf(after)) this.#byDestination.add(destination, id);
    }
    const both = [before, after].filter(workload => workload !== undefined);
    return {
      destinations: new Set(both.flatMap(workload => this.destinationsOf(workload))),
      interfaces: new Set(both.map(({ interfaceName }) => interfaceName)),
    };
  }

  get(id: EndpointId): Workload | undefined {
    return this.#workloads.get(id);
  }

  get size(): number {
    return this.#workloads.size;
  }

  interfaces(): Iterable<string> {
    return this.#byInterface.keys();
  }

  /** All that claim the destination, holder or not. */
  claimants(destination: string): ReadonlySet<EndpointId> {
    return this.#byDestination.get(destination);
  }

  onInterface(name: string): readonly Workload[] {
    return [...this.#byInterface.get(name)]
      .map(id => this.#workloads.get(id))
      .filter(workload => workload !== undefined);
  }

  /** Everything that anybody claims. */
  destinations(): Iterable<string> {
    return this.#byDestination.keys();
  }

  holder(destination: string): Workload | undefined {
    let lowest: EndpointId | undefined;
    for (const id of this.#byDestination.get(destination))
      if (lowest === undefined || id < lowest) lowest = id;
    return lowest === undefined ? undefined : this.#workloads.get(lowest);
  }

  get ipv6(): boolean {
    return this.#options.ipv6;
  }

  /** True when the name is one that a workload's interface may have: nothing else is ever touched. */
  ownsInterface(name: string): boolean {
    return this.#options.interfacePrefixes.some(prefix => prefix !== '' && name.startsWith(prefix));
  }

  /** The host routes that it should have: none while it is switched off or its interface is not ours. */
  destinationsOf(workload: Workload): readonly string[] {
    if (!workload.adminUp || !this.ownsInterface(workload.interfaceName)) return [];
    const floating = workload.floating?.map(({ external }) => external) ?? [];
    return [...workload.addresses, ...floating].flatMap(address => {
      const ip = parseIp(address);
      if (ip === undefined || (ip.version === 6 && !this.#options.ipv6)) return [];
      return [formatCidr(hostCidr(ip))];
    });
  }
}

export interface ClaimChange {
  readonly destinations: ReadonlySet<string>;
  readonly interfaces: ReadonlySet<string>;
}

function asWorkload(endpoint: Endpoint): Workload | undefined {
  const { interfaceName } = endpoint;
  return endpoint.kind === 'workload' && interfaceName !== undefined
    ? { ...endpoint, interfaceName }
    : undefined;
}
