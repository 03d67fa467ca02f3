import { messageOf } from '../../base/index.js';
import type { Logger } from '../../base/index.js';
import { canonicalIp } from '../../net/index.js';
import type { HostNetwork } from '../../netlink/index.js';
import type { HostInterfaces } from '../../policy/index.js';
import type { NftDataplane } from './nft-dataplane.js';

/** All interfaces of the host with their own addresses, as they are now. */
function readInterfaces(network: HostNetwork): HostInterfaces {
  const names = new Map(network.links().map(link => [link.index, link.name]));
  const interfaces = new Map<string, string[]>([...names.values()].map(name => [name, []]));
  for (const { interfaceIndex, address } of network.addresses()) {
    const own = canonicalIp(address.split('/')[0] ?? '');
    const name = names.get(interfaceIndex);
    if (own !== undefined && name !== undefined) interfaces.get(name)?.push(own);
  }
  return interfaces;
}

interface Follow {
  readonly network: HostNetwork;
  readonly nft: Pick<NftDataplane, 'setHostInterfaces'>;
  readonly log: Logger;
}

/**
 * Keeps host endpoints that are found by their addresses on the interfaces that own these: looks once now, and
 * again whenever the kernel says that links or addresses changed. Close what it returns to end that.
 */
export function followHostInterfaces({ network, nft, log }: Follow): { close(): void } {
  let last = '';
  const look = (): void => {
    const interfaces = readInterfaces(network);
    const text = JSON.stringify([...interfaces]);
    if (text === last) return;
    last = text;
    nft.setHostInterfaces(interfaces).catch((error: unknown) => {
      log.warn('host endpoints may be on the wrong interfaces', { reason: messageOf(error) });
    });
  };
  const watch = network.watch(({ links, addresses, overrun }) => {
    if (links || addresses || overrun) look();
  });
  look();
  return watch;
}
