import { CalicoError } from '../../base/index.js';
import { canonicalMac } from '../../net/index.js';
import { macBytes, readMac } from '../address-bytes.js';
import { forEachAttribute, readI32, readText, readU32, readU64 } from '../codec.js';
import type { Message, MessageWriter } from '../codec.js';
import type { LinkInfo, LinkTraffic } from '../host-network.js';
import { expectSuccess, kernelError } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_EXCL } from '../socket.js';
import type { NetlinkSocket, Request } from '../socket.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;

const IFF_UP = 0x1;
/** carrier: known at once, whereas IFF_RUNNING follows it up to a second later */
const IFF_LOWER_UP = 0x10000;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_STATS64 = 23;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;

/** Statistics make up most of a link's message, and are seldom asked for. */
const RTEXT_FILTER_SKIP_STATS = 8;

const IFINFOMSG_LENGTH = 16;
const EEXIST = -17;
const ENODEV = -19;

/** `struct ifinfomsg`: `change` is the mask of the flags that count. */
function writeIfinfo(writer: MessageWriter, { index = 0, flags = 0, change = 0 }): void {
  writer.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(change);
}

/** A name that the kernel takes for an interface: up to 15 bytes, no slash, colon or white space. */
export function requireLinkName(name: string): string {
  if (!/^[^\s/:\0]{1,15}$/.test(name) || Buffer.byteLength(name) > 15 || name === '.' || name === '..') {
    throw new CalicoError('invalid', `"${name}" is not a name for a network interface`);
  }
  return name;
}

/** A NEWLINK or DELLINK message as an object, with the index of the other end where there is one. */
export function readLink(message: Message): LinkInfo & { readonly peerIndex: number | undefined } {
  const { view, start, end } = message;
  const flags = readU32(view, start + 8);
  const link = {
    index: readI32(view, start + 4),
    name: '',
    mac: '',
    mtu: 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_LOWER_UP) !== 0,
    kind: undefined as string | undefined,
    peerIndex: undefined as number | undefined,
  };
  forEachAttribute({ view, start: start + IFINFOMSG_LENGTH, end }, (type, at, length) => {
    if (type === IFLA_IFNAME) link.name = readText(view, at, length);
    else if (type === IFLA_ADDRESS) link.mac = readMac(view, at, length);
    else if (type === IFLA_MTU) link.mtu = readU32(view, at);
    else if (type === IFLA_LINK) link.peerIndex = readU32(view, at);
    else if (type === IFLA_LINKINFO) {
      forEachAttribute({ view, start: at, end: at + length }, (inner, kindAt, kindLength) => {
        if (inner === IFLA_INFO_KIND) link.kind = readText(view, kindAt, kindLength);
      });
    }
  });
  return link;
}

function withoutPeer({ index, name, mac, mtu, up, running, kind }: LinkInfo): LinkInfo {
  return { index, name, mac, mtu, up, running, kind };
}

export function dumpLinks(socket: NetlinkSocket): readonly LinkInfo[] {
  const request: Request = {
    type: RTM_GETLINK,
    write: writer => {
      writeIfinfo(writer, {});
      writer.attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    },
  };
  return socket.dump('list links', request, message =>
    message.type === RTM_NEWLINK ? withoutPeer(readLink(message)) : undefined,
  );
}

/** The first four of `struct rtnl_link_stats64`: packets in and out, bytes in and out. */
function readTraffic({ view, start, end }: Message): readonly [name: string, traffic: LinkTraffic] {
  let name = '';
  let counts: readonly number[] = [0, 0, 0, 0];
  forEachAttribute({ view, start: start + IFINFOMSG_LENGTH, end }, (type, at, length) => {
    if (type === IFLA_IFNAME) name = readText(view, at, length);
    else if (type === IFLA_STATS64) counts = [0, 8, 16, 24].map(offset => readU64(view, at + offset));
  });
  const [packetsIn = 0, packetsOut = 0, bytesIn = 0, bytesOut = 0] = counts;
  const [received, sent] = [
    { packets: packetsIn, bytes: bytesIn },
    { packets: packetsOut, bytes: bytesOut },
  ];
  return [name, { received, sent }];
}

export function dumpTraffic(socket: NetlinkSocket): ReadonlyMap<string, LinkTraffic> {
  const request: Request = {
    type: RTM_GETLINK,
    write: writer => {
      writeIfinfo(writer, {});
    },
  };
  return new Map(
    socket.dump('count what links carry', request, message =>
      message.type === RTM_NEWLINK ? readTraffic(message) : undefined,
    ),
  );
}

function getLink(socket: NetlinkSocket, name: string): ReturnType<typeof readLink> | undefined {
  let found: ReturnType<typeof readLink> | undefined;
  const request: Request = {
    type: RTM_GETLINK,
    write: writer => {
      writeIfinfo(writer, {});
      writer.attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).attributeText(IFLA_IFNAME, name);
    },
  };
  const answer = socket.request(request, message => {
    if (message.type === RTM_NEWLINK) found = readLink(message);
  });
  expectSuccess(`look up link ${name}`, answer, [ENODEV]);
  return found;
}

export function linkByName(socket: NetlinkSocket, name: string): LinkInfo | undefined {
  const found = getLink(socket, requireLinkName(name));
  return found === undefined ? undefined : withoutPeer(found);
}

export interface VethMessage {
  readonly hostName: string;
  readonly hostMac: string;
  readonly containerName: string;
  /** undefined: one that the kernel makes up */
  readonly containerMac?: string | undefined;
  /** descriptor of the namespace in which the container's end is born */
  readonly containerNetnsFd: number;
  readonly mtu: number | undefined;
}

/** The body of the message that creates both ends at once: down, since a veth cannot be created up. */
export function writeVeth(writer: MessageWriter, veth: VethMessage): void {
  writeIfinfo(writer, {});
  writer.attribute(IFLA_ADDRESS, macBytes(veth.hostMac));
  if (veth.mtu !== undefined) writer.attributeU32(IFLA_MTU, veth.mtu);
  writer.attributeText(IFLA_IFNAME, veth.hostName);
  writer.nested(IFLA_LINKINFO, info => {
    info.attribute(IFLA_INFO_KIND, new TextEncoder().encode('veth'));
    info.nested(IFLA_INFO_DATA, data => {
      data.nested(VETH_INFO_PEER, peer => {
        writeIfinfo(peer, {});
        if (veth.containerMac !== undefined) peer.attribute(IFLA_ADDRESS, macBytes(veth.containerMac));
        peer.attributeU32(IFLA_NET_NS_FD, veth.containerNetnsFd);
        if (veth.mtu !== undefined) peer.attributeU32(IFLA_MTU, veth.mtu);
        peer.attributeText(IFLA_IFNAME, veth.containerName);
      });
    });
  });
}

/** True for a pair as the message makes it, that nobody has brought up yet. */
function isPairOf(link: ReturnType<typeof readLink> | undefined, veth: VethMessage): boolean {
  if (link?.kind !== 'veth' || link.up || link.peerIndex === undefined) return false;
  return link.mac === canonicalMac(veth.hostMac) && (veth.mtu === undefined || link.mtu === veth.mtu);
}

/** Creates the pair; `already-exists` names the end whose name is taken. */
export function createVeth(
  socket: NetlinkSocket,
  veth: VethMessage,
): { readonly host: LinkInfo; readonly containerIndex: number } {
  const operation = `create veth ${requireLinkName(veth.hostName)} with ${requireLinkName(veth.containerName)}`;
  const answer = socket.request({
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    write: writer => {
      writeVeth(writer, veth);
    },
  });
  // Sent twice, it may have met itself; a pair that was there before had been refused at once.
  const isOurs = answer.repeated === true && isPairOf(getLink(socket, veth.hostName), veth);
  if (answer.result === EEXIST && !isOurs) {
    const taken = getLink(socket, veth.hostName) === undefined ? veth.containerName : veth.hostName;
    throw kernelError(operation, { result: EEXIST, words: `there is an interface ${taken} already` });
  }
  expectSuccess(operation, answer, [EEXIST]);
  const host = getLink(socket, veth.hostName);
  if (host?.peerIndex === undefined) {
    throw new CalicoError('unavailable', `${operation}: it was gone a moment later`);
  }
  return { host: withoutPeer(host), containerIndex: host.peerIndex };
}

export function setLinkUp(socket: NetlinkSocket, index: number, up: boolean): void {
  const answer = socket.request({
    type: RTM_NEWLINK,
    write: writer => {
      writeIfinfo(writer, { index, flags: up ? IFF_UP : 0, change: IFF_UP });
    },
  });
  expectSuccess(`set link ${String(index)} ${up ? 'up' : 'down'}`, answer);
}

/** The body of DELLINK. */
export function writeLinkIndex(writer: MessageWriter, index: number): void {
  writeIfinfo(writer, { index });
}

/** Returns when the link is gone, some 20 ms later. */
export function deleteLinkNow(socket: NetlinkSocket, index: number): void {
  const answer = socket.request({
    type: RTM_DELLINK,
    write: writer => {
      writeLinkIndex(writer, index);
    },
  });
  expectSuccess(`delete link ${String(index)}`, answer, [ENODEV]);
}
