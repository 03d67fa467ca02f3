import { familyOf, ipBytes, readIp, requireAddressWithLength } from '../address-bytes.js';
import { forEachAttribute, readU32 } from '../codec.js';
import type { Message, MessageWriter } from '../codec.js';
import type { AddressInfo } from '../host-network.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../socket.js';
import type { NetlinkSocket } from '../socket.js';
import { scopeNumbers } from './route.js';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;
const IFADDRMSG_LENGTH = 8;

export interface AddressMessage {
  readonly index: number;
  /** `address/length` */
  readonly address: string;
  readonly scope: 'link' | 'universe';
}

/** The body of NEWADDR. */
export function writeAddress(writer: MessageWriter, { index, address, scope }: AddressMessage): void {
  const { ip, length } = requireAddressWithLength(address);
  const bytes = ipBytes(ip);
  writer.u8(familyOf(ip.version)).u8(length).u8(0).u8(scopeNumbers[scope]).u32(index);
  writer.attribute(IFA_LOCAL, bytes).attribute(IFA_ADDRESS, bytes);
  // Nobody else on a point-to-point link can have the address: without this it is unusable for a second.
  if (ip.version === 6) writer.attributeU32(IFA_FLAGS, IFA_F_NODAD);
}

export function addAddress(socket: NetlinkSocket, message: AddressMessage): void {
  const answer = socket.request({
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    write: writer => {
      writeAddress(writer, message);
    },
  });
  expectSuccess(`add address ${message.address} to link ${String(message.index)}`, answer);
}

/** A NEWADDR or DELADDR message as an object. */
export function readAddress({ view, start, end }: Message): AddressInfo {
  let local: string | undefined;
  let address = '';
  forEachAttribute({ view, start: start + IFADDRMSG_LENGTH, end }, (type, at, length) => {
    if (type === IFA_LOCAL) local = readIp(view, at, length);
    else if (type === IFA_ADDRESS) address = readIp(view, at, length);
  });
  return {
    interfaceIndex: readU32(view, start + 4),
    // With a peer, IFA_ADDRESS is the peer's; our own is the local one.
    address: `${local ?? address}/${String(view.getUint8(start + 1))}`,
    scope: view.getUint8(start + 3),
  };
}

export function dumpAddresses(socket: NetlinkSocket): readonly AddressInfo[] {
  const request = { type: RTM_GETADDR, write: (writer: MessageWriter) => writer.u32(0).u32(0) };
  return socket.dump('list addresses', request, message =>
    message.type === RTM_NEWADDR ? readAddress(message) : undefined,
  );
}
