import { CalicoError } from '../../base/index.js';
import type { LinkInfo } from '../host-network.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_EXCL } from '../socket.js';
import type { NetlinkSocket } from '../socket.js';
import { RTM_DELADDR, writeAddress } from './addr.js';
import { linkByName, requireLinkName, RTM_NEWLINK, writeLinkIndex } from './link.js';

const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;

const EEXIST = -17;
const EADDRNOTAVAIL = -99;

/**
 * An IP-in-IP device without fixed ends: each route through it names the other end. A kernel that has IP-in-IP
 * as a module loads it at this request, and that makes its own `tunl0`: so one that exists is as good.
 * `unsupported` where the kernel has none.
 */
export function createIpip(socket: NetlinkSocket, name: string): LinkInfo {
  const operation = `create IP-in-IP device ${requireLinkName(name)}`;
  const answer = socket.request({
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    write: writer => {
      writeLinkIndex(writer, 0);
      writer.attributeText(IFLA_IFNAME, name);
      writer.nested(IFLA_LINKINFO, info => {
        info.attribute(IFLA_INFO_KIND, new TextEncoder().encode('ipip'));
      });
    },
  });
  expectSuccess(operation, answer, [EEXIST]);
  const link = linkByName(socket, name);
  if (link === undefined) throw new CalicoError('unavailable', `${operation}: it was gone a moment later`);
  return link;
}

export function setLinkMtu(socket: NetlinkSocket, index: number, mtu: number): void {
  const answer = socket.request({
    type: RTM_NEWLINK,
    write: writer => {
      writeLinkIndex(writer, index);
      writer.attributeU32(IFLA_MTU, mtu);
    },
  });
  expectSuccess(`set MTU of link ${String(index)} to ${String(mtu)}`, answer);
}

export function deleteAddress(socket: NetlinkSocket, index: number, address: string): void {
  const answer = socket.request({
    type: RTM_DELADDR,
    write: writer => {
      writeAddress(writer, { index, address, scope: 'universe' });
    },
  });
  expectSuccess(`delete address ${address} of link ${String(index)}`, answer, [EADDRNOTAVAIL]);
}
