import { familyOf, ipBytes, macBytes, requireIp } from '../address-bytes.js';
import type { MessageWriter } from '../codec.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../socket.js';
import type { NetlinkSocket } from '../socket.js';

const RTM_NEWNEIGH = 28;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;

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
