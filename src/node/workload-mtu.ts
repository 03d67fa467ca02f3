import { deviceFor, uplinkOf, workloadMtu } from '../dataplane/index.js';
import type { TunnelDevice } from '../dataplane/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { ResourceOf } from '../resources/index.js';

/**
 * Knows, from the cluster's events, which MTU new workload links get: what the link with the host's own address
 * carries, less the headers of tunnels that pools ask for.
 */
export class WorkloadMtu {
  readonly #nodeName: string;
  readonly #network: Pick<HostNetwork, 'addresses' | 'links' | 'linkByName'>;
  readonly #pools = new Map<string, TunnelDevice>();
  #nodeAddress: string | undefined;
  /** name of the link that had the address when it was last looked for */
  #uplink: string | undefined;

  constructor(nodeName: string, network: Pick<HostNetwork, 'addresses' | 'links' | 'linkByName'>) {
    this.#nodeName = nodeName;
    this.#network = network;
  }

  handleCluster({ changes }: ClusterEvent): void {
    for (const change of changes) {
      if (change.kind !== 'resource') continue;
      const { id, resource, problem } = change;
      // What cannot be read stays as it was.
      if (resource === undefined && problem === undefined) this.#pools.delete(id);
      if (resource?.kind === 'ipPool') this.#setPool(id, resource);
      if (resource?.kind === 'node' && resource.metadata.name === this.#nodeName) {
        this.#nodeAddress = resource.spec.bgp?.ipv4Address ?? resource.spec.bgp?.ipv6Address;
        this.#uplink = undefined;
      }
    }
  }

  /** Undefined where the host's uplink is not known: the kernel's default then. */
  current(): number | undefined {
    const known = this.#uplink === undefined ? undefined : this.#network.linkByName(this.#uplink);
    const uplink = known ?? this.#findUplink();
    return uplink && workloadMtu(uplink.mtu, [...this.#pools.values()]);
  }

  #setPool(id: string, { metadata: { cidr }, spec: { ipip, vxlan } }: ResourceOf<'ipPool'>): void {
    // A disabled pool gives no new address, but those that it gave are routed as before.
    const encapsulation = ipip?.enabled === true ? 'ipip' : vxlan?.enabled === true ? 'vxlan' : undefined;
    const device = encapsulation && deviceFor(encapsulation, cidr.includes(':') ? 6 : 4);
    if (device === undefined) this.#pools.delete(id);
    else this.#pools.set(id, device);
  }

  #findUplink() {
    if (this.#nodeAddress === undefined) return undefined;
    const { index } = uplinkOf(this.#network.addresses(), this.#nodeAddress);
    const link = this.#network.links().find(each => each.index === index);
    this.#uplink = link?.name;
    return link;
  }
}
