import { familyOf, ipBytes, macBytes, readIp, readMac, requireIp } from '../address-bytes.js';
import { forEachAttribute, readU16, readU32 } from '../codec.js';
import type { Message, MessageWriter } from '../codec.js';
import type { ForwardingEntry, NeighbourInfo } from '../host-network.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../socket.js';
import type { NetlinkSocket, Request } from '../socket.js';

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
/** the entry is in the table of the device itself, not of a bridge above it */
const NTF_SELF = 0x02;
/** the host answers for the address */
const NTF_PROXY = 0x08;
const AF_BRIDGE = 7;
const NDMSG_LENGTH = 12;

const ENOENT = -2;

export interface NeighbourMessage {
  readonly index: number;
  readonly address: string;
  readonly mac: string;
}

/** The body of NEWNEIGH for an entry that never expires. */
export function writeNeighbour(writer: MessageWriter, { index, address, mac }: NeighbourMessage): void {
  const ip = requireIp(address);
  writer.u8(familyOf(ip.version)).u8(0).u16(0).u32(index).u16(NUD_PERMANENT).u8(0).u8(0);
  writer.attribute(NDA_DST, ipBytes(ip)).attribute(NDA_LLADDR, macBytes(mac));
}

export function replaceNeighbour(socket: NetlinkSocket, message: NeighbourMessage): void {
  const answer = socket.request({
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    write: writer => {
      writeNeighbour(writer, message);
    },
  });
  expectSuccess(
    `set neighbour ${message.address} to ${message.mac} on link ${String(message.index)}`,
    answer,
  );
}

export function deleteNeighbour(socket: NetlinkSocket, index: number, address: string): void {
  const ip = requireIp(address);
  const answer = socket.request({
    type: RTM_DELNEIGH,
    write: writer => {
      writer.u8(familyOf(ip.version)).u8(0).u16(0).u32(index).u16(0).u8(0).u8(0);
      writer.attribute(NDA_DST, ipBytes(ip));
    },
  });
  expectSuccess(`delete neighbour ${address} of link ${String(index)}`, answer, [ENOENT]);
}

/** Lets the link answer for an address that is not the host's, or no more. */
export function setProxyNeighbour(
  socket: NetlinkSocket,
  { index, address, wanted }: { readonly index: number; readonly address: string; readonly wanted: boolean },
): void {
  const ip = requireIp(address);
  const answer = socket.request({
    type: wanted ? RTM_NEWNEIGH : RTM_DELNEIGH,
    flags: wanted ? NLM_F_CREATE | NLM_F_REPLACE : 0,
    write: writer => {
      writer.u8(familyOf(ip.version)).u8(0).u16(0).u32(index).u16(NUD_PERMANENT).u8(NTF_PROXY).u8(0);
      writer.attribute(NDA_DST, ipBytes(ip));
    },
  });
  const verb = wanted ? 'answer' : 'no more answer';
  expectSuccess(`${verb} for neighbour ${address} on link ${String(index)}`, answer, wanted ? [] : [ENOENT]);
}

/** The body of NEWNEIGH or DELNEIGH for an entry of a VXLAN device: frames for the address go to that host. */
export function writeForwarding(writer: MessageWriter, { index, mac, host }: ForwardingMessage): void {
  writer.u8(AF_BRIDGE).u8(0).u16(0).u32(index).u16(NUD_PERMANENT).u8(NTF_SELF).u8(0);
  writer.attribute(NDA_LLADDR, macBytes(mac)).attribute(NDA_DST, ipBytes(requireIp(host)));
}

export interface ForwardingMessage extends ForwardingEntry {
  readonly index: number;
}

export function replaceForwarding(socket: NetlinkSocket, message: ForwardingMessage): void {
  const answer = socket.request({
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    write: writer => {
      writeForwarding(writer, message);
    },
  });
  expectSuccess(`forward ${message.mac} to ${message.host} on link ${String(message.index)}`, answer);
}

export function deleteForwarding(socket: NetlinkSocket, message: ForwardingMessage): void {
  const answer = socket.request({
    type: RTM_DELNEIGH,
    write: writer => {
      writeForwarding(writer, message);
    },
  });
  expectSuccess(`forward ${message.mac} no more on link ${String(message.index)}`, answer, [ENOENT]);
}

/** `index` filters; the kernel takes it in this place for the tables of devices only. */
function dump(socket: NetlinkSocket, family: number, index = 0): readonly Entry[] {
  const request: Request = {
    type: RTM_GETNEIGH,
    write: writer => {
      writer.u8(family).u8(0).u16(0).u32(index).u16(0).u8(0).u8(0);
    },
  };
  return socket.dump('list neighbours', request, message =>
    message.type === RTM_NEWNEIGH ? readEntry(message) : undefined,
  );
}

/** Of both versions; only those that somebody has set for good. */
export function dumpNeighbours(socket: NetlinkSocket): readonly NeighbourInfo[] {
  const entries = ([4, 6] as const).flatMap(version => dump(socket, familyOf(version)));
  return entries.flatMap(({ index, address, mac, isPermanent }) =>
    isPermanent && address !== undefined ? [{ interfaceIndex: index, address, mac }] : [],
  );
}

/** The table of one VXLAN device. */
export function dumpForwarding(socket: NetlinkSocket, index: number): readonly ForwardingEntry[] {
  return dump(socket, AF_BRIDGE, index).flatMap(({ index: at, address, mac }) =>
    at === index && address !== undefined && mac !== '' ? [{ mac, host: address }] : [],
  );
}

interface Entry {
  readonly index: number;
  readonly address: string | undefined;
  readonly mac: string;
  readonly isPermanent: boolean;
}

function readEntry({ view, start, end }: Message): Entry {
  let address: string | undefined;
  let mac = '';
  forEachAttribute({ view, start: start + NDMSG_LENGTH, end }, (type, at, length) => {
    if (type === NDA_DST) address = readIp(view, at, length);
    else if (type === NDA_LLADDR) mac = readMac(view, at, length);
  });
  const isPermanent = (readU16(view, start + 8) & NUD_PERMANENT) !== 0;
  return { index: readU32(view, start + 4), address, mac, isPermanent };
}
