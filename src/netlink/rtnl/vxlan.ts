import { CalicoError } from '../../base/index.js';
import { ipBytes, macBytes, readIp, requireIp } from '../address-bytes.js';
import { forEachAttribute, readU32 } from '../codec.js';
import type { Message, MessageWriter } from '../codec.js';
import type { LinkInfo, VxlanRequest } from '../host-network.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_EXCL } from '../socket.js';
import type { NetlinkSocket } from '../socket.js';
import {
  deleteLinkNow,
  linkByName,
  readLink,
  requireLinkName,
  RTM_GETLINK,
  RTM_NEWLINK,
  writeLinkIndex,
} from './link.js';

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_LOCAL6 = 17;
const IFLA_VXLAN_UDP_CSUM = 18;
const IFLA_VXLAN_UDP_ZERO_CSUM6_TX = 19;
const IFLA_VXLAN_UDP_ZERO_CSUM6_RX = 20;

const IFINFOMSG_LENGTH = 16;
const EEXIST = -17;
const ENODEV = -19;

/**
 * The body of NEWLINK for a VXLAN device that learns nothing: who is behind it, its owner tells it.
 *
 * Outer packets always have their UDP checksum. Without it kernels before 5.7 send broken packets as soon as one
 * of them passes NAT: they "correct" a checksum that is not there, because that of the inner packet is left to
 * the network card.
 */
export function writeVxlan(writer: MessageWriter, request: VxlanRequest): void {
  const local = requireIp(request.local);
  writeLinkIndex(writer, 0);
  writer.attribute(IFLA_ADDRESS, macBytes(request.mac));
  writer.attributeU32(IFLA_MTU, request.mtu);
  writer.attributeText(IFLA_IFNAME, request.name);
  writer.nested(IFLA_LINKINFO, info => {
    info.attribute(IFLA_INFO_KIND, new TextEncoder().encode('vxlan'));
    info.nested(IFLA_INFO_DATA, data => {
      data.attributeU32(IFLA_VXLAN_ID, request.vni);
      data.attribute(local.version === 4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, ipBytes(local));
      data.attributeU8(IFLA_VXLAN_LEARNING, 0);
      data.attribute(IFLA_VXLAN_PORT, Uint8Array.of(request.port >> 8, request.port & 0xff));
      data.attributeU8(IFLA_VXLAN_UDP_CSUM, 1);
      data.attributeU8(IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 0);
      data.attributeU8(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 0);
    });
  });
}

/**
 * The VXLAN device of that name, with exactly these properties: what cannot be changed on a device makes it a new
 * one. `already-exists` where something else has the name, `unsupported` where the kernel has no VXLAN.
 */
export function ensureVxlan(socket: NetlinkSocket, request: VxlanRequest): LinkInfo {
  const operation = `create VXLAN device ${requireLinkName(request.name)}`;
  const present = readVxlan(socket, request.name);
  if (present !== undefined) {
    if (present.kind !== 'vxlan') {
      const what = present.kind ?? 'other';
      throw new CalicoError('already-exists', `${operation}: a ${what} interface has that name`);
    }
    if (isAsWanted(present, request)) return present;
    deleteLinkNow(socket, present.index);
  }
  const answer = socket.request({
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    write: writer => {
      writeVxlan(writer, request);
    },
  });
  expectSuccess(operation, answer, [EEXIST]);
  const link = linkByName(socket, request.name);
  if (link === undefined) throw new CalicoError('unavailable', `${operation}: it was gone a moment later`);
  return link;
}

interface VxlanLink extends LinkInfo {
  readonly vni: number;
  readonly port: number;
  readonly local: string | undefined;
  readonly learns: boolean;
  /** outer packets over IPv4 have no checksum */
  readonly withoutChecksum: boolean;
}

function isAsWanted(link: VxlanLink, { vni, port, local, mac }: VxlanRequest): boolean {
  const isOurs = link.vni === vni && link.port === port && link.local === local && link.mac === mac;
  return isOurs && !link.learns && !link.withoutChecksum;
}

function readVxlan(socket: NetlinkSocket, name: string): VxlanLink | undefined {
  let found: VxlanLink | undefined;
  const request = {
    type: RTM_GETLINK,
    write: (writer: MessageWriter) => {
      writeLinkIndex(writer, 0);
      writer.attributeText(IFLA_IFNAME, name);
    },
  };
  const answer = socket.request(request, message => {
    if (message.type === RTM_NEWLINK) found = readVxlanLink(message);
  });
  expectSuccess(`look up link ${name}`, answer, [ENODEV]);
  return found;
}

function readVxlanLink(message: Message): VxlanLink {
  const { peerIndex: _, ...link } = readLink(message);
  const own = {
    vni: 0,
    port: 0,
    local: undefined as string | undefined,
    learns: false,
    withoutChecksum: false,
  };
  const { view, start, end } = message;
  forEachAttribute({ view, start: start + IFINFOMSG_LENGTH, end }, (type, at, length) => {
    if (type !== IFLA_LINKINFO) return;
    forEachAttribute({ view, start: at, end: at + length }, (inner, dataAt, dataLength) => {
      if (inner !== IFLA_INFO_DATA || link.kind !== 'vxlan') return;
      forEachAttribute({ view, start: dataAt, end: dataAt + dataLength }, (field, valueAt, valueLength) => {
        if (field === IFLA_VXLAN_ID) own.vni = readU32(view, valueAt);
        else if (field === IFLA_VXLAN_PORT) own.port = view.getUint16(valueAt, false);
        else if (field === IFLA_VXLAN_LEARNING) own.learns = view.getUint8(valueAt) !== 0;
        else if (field === IFLA_VXLAN_UDP_CSUM) own.withoutChecksum = view.getUint8(valueAt) === 0;
        else if (field === IFLA_VXLAN_LOCAL || field === IFLA_VXLAN_LOCAL6) {
          own.local = readIp(view, valueAt, valueLength);
        }
      });
    });
  });
  return { ...link, ...own };
}
