import type { Message, MessageWriter } from '../codec.js';
import { forEachAttribute, readText } from '../codec.js';
import type { Request } from '../socket.js';

/** `NFNL_SUBSYS_NFTABLES << 8`, then the message; a batch begins and ends with messages of nfnetlink itself. */
export const messageTypes = {
  batchBegin: 0x10,
  batchEnd: 0x11,
  newTable: 0xa00,
  getTable: 0xa01,
  deleteTable: 0xa02,
  newChain: 0xa03,
  getChain: 0xa04,
  deleteChain: 0xa05,
  newRule: 0xa06,
  getRule: 0xa07,
  deleteRule: 0xa08,
  newSet: 0xa09,
  getSet: 0xa0a,
  deleteSet: 0xa0b,
  newElements: 0xa0c,
  getElements: 0xa0d,
  deleteElements: 0xa0e,
  newGeneration: 0xa0f,
  getGeneration: 0xa10,
  newObject: 0xa12,
  getObject: 0xa13,
  deleteObject: 0xa14,
} as const;

/** Netfilter wants the flag for nested attributes set. */
export const NESTED = 0x8000;

/** An element of any list: rules' expressions, sets' elements, fields of a concatenation. */
export const NFTA_LIST_ELEM = 1;
/** Every object but a generation names its table in this attribute. */
export const NFTA_TABLE = 1;

/** `struct nfgenmsg` */
export const NFGENMSG_LENGTH = 4;
const NFPROTO_INET = 1;
const NFNL_SUBSYS_NFTABLES = 10;

/** `struct nfgenmsg` for both IP versions at once. */
export function writeInet(writer: MessageWriter): void {
  writer.u8(NFPROTO_INET).u8(0).u16Net(0);
}

/** True for a message about an object of family inet. */
export function isInet({ view, start, end }: Message): boolean {
  return start + NFGENMSG_LENGTH <= end && view.getUint8(start) === NFPROTO_INET;
}

/** `struct nfgenmsg` at both ends of a batch: its last field names the subsystem. */
export function writeBatchEdge(writer: MessageWriter): void {
  writer.u8(0).u8(0).u16Net(NFNL_SUBSYS_NFTABLES);
}

/** A request about an object of a table. */
export function tableRequest(
  type: number,
  flags: number,
  table: string,
  write: (writer: MessageWriter) => void,
): Request {
  return {
    type,
    flags,
    write: writer => {
      writeInet(writer);
      writer.attributeText(NFTA_TABLE, table);
      write(writer);
    },
  };
}

/** Where the value of one attribute lies. */
export type Span = Pick<Message, 'view' | 'start' | 'end'>;

/** Calls back for each attribute of a message about tables. */
export function forEachField(message: Message, visit: (type: number, span: Span) => void): void {
  const { view, start, end } = message;
  forEachInner({ view, start: start + NFGENMSG_LENGTH, end }, visit);
}

/** Calls back for each attribute inside a nested one. */
export function forEachInner(span: Span, visit: (type: number, span: Span) => void): void {
  const { view } = span;
  forEachAttribute(span, (type, at, length) => {
    visit(type, { view, start: at, end: at + length });
  });
}

export function textOf({ view, start, end }: Span): string {
  return readText(view, start, end - start);
}

export function numberOf({ view, start }: Span): number {
  return view.getUint32(start, false);
}

/** A copy: the receive buffer is used again. */
export function bytesOf({ view, start, end }: Span): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
}

/** The table that a message is about, or undefined when it names none. */
export function tableOf(message: Message): string | undefined {
  let table: string | undefined;
  forEachField(message, (type, span) => {
    if (type === NFTA_TABLE) table ??= textOf(span);
  });
  return table;
}
