import { messageOf } from '../../base/index.js';
import type { Logger } from '../../base/index.js';
import { WORKLOAD_GATEWAY_IPV6, canonicalIp } from '../../net/index.js';
import type { AddressInfo, HostNetwork, NetworkEvent } from '../../netlink/index.js';
import type { HostInterfaces } from '../../policy/index.js';
import type { NftDataplane } from './nft-dataplane.js';

interface Follow {
  readonly network: HostNetwork;
  readonly nft: Pick<NftDataplane, 'setHostInterfaces'>;
  readonly log: Logger;
}

/**
 * Keeps host endpoints that are found by their addresses on the interfaces that own these: looks once now, and
 * then follows what the kernel says of links and addresses. Close what it returns to end that.
 */
export function followHostInterfaces({ network, nft, log }: Follow): { close(): void } {
  const owned = new OwnedAddresses();
  const tell = (): void => {
    nft.setHostInterfaces(owned.byName()).catch((error: unknown) => {
      log.warn('host endpoints may be on the wrong interfaces', { reason: messageOf(error) });
    });
  };
  const watch = network.watch(({ events, overrun }) => {
    // Each workload that comes or goes makes some ten events: none of them may cost a listing of all links.
    const changed = overrun ? owned.read(network) : events.filter(event => owned.note(event)).length > 0;
    if (changed) tell();
  });
  owned.read(network);
  tell();
  return watch;
}

/** The addresses of the host's interfaces, without the one that the link of every workload has. */
class OwnedAddresses {
  readonly #names = new Map<number, string>();
  readonly #addresses = new Map<number, Set<string>>();

  /** Reads all of it; always true. */
  read(network: HostNetwork): true {
    this.#names.clear();
    this.#addresses.clear();
    for (const { index, name } of network.links()) this.#names.set(index, name);
    for (const address of network.addresses()) this.#add(address);
    return true;
  }

  /** Takes a change over; false when no address moved. */
  note(event: NetworkEvent): boolean {
    switch (event.kind) {
      case 'link': {
        const { index, name } = event.link;
        const isRenamed = this.#names.get(index) !== name;
        this.#names.set(index, name);
        return isRenamed && this.#addresses.has(index);
      }
      case 'link-gone':
        this.#names.delete(event.link.index);
        return this.#addresses.delete(event.link.index);
      case 'address':
        return this.#add(event.address);
      case 'address-gone':
        return this.#remove(event.address);
      case 'route':
      case 'route-gone':
      case 'settings':
        return false;
    }
  }

  /** Interfaces that own an address, each with its addresses. */
  byName(): HostInterfaces {
    const interfaces = new Map<string, readonly string[]>();
    for (const [index, addresses] of this.#addresses) {
      const name = this.#names.get(index);
      if (name !== undefined) interfaces.set(name, [...addresses]);
    }
    return interfaces;
  }

  #add({ interfaceIndex, address }: AddressInfo): boolean {
    const own = ownAddress(address);
    if (own === undefined || own === WORKLOAD_GATEWAY_IPV6) return false;
    const addresses = this.#addresses.get(interfaceIndex) ?? new Set();
    if (addresses.has(own)) return false;
    this.#addresses.set(interfaceIndex, addresses.add(own));
    return true;
  }

  #remove({ interfaceIndex, address }: AddressInfo): boolean {
    const addresses = this.#addresses.get(interfaceIndex);
    const own = ownAddress(address);
    if (own === undefined || addresses?.delete(own) !== true) return false;
    if (addresses.size === 0) this.#addresses.delete(interfaceIndex);
    return true;
  }
}

function ownAddress(address: string): string | undefined {
  return canonicalIp(address.split('/', 1)[0] ?? '');
}
