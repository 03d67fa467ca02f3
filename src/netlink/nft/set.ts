import type { Message, MessageWriter } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import {
  forEachField,
  forEachInner,
  messageTypes,
  NESTED,
  numberOf,
  tableRequest,
  textOf,
} from './message.js';

const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_DESC = 9;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_COUNT = 20;
const NFTA_SET_DESC_SIZE = 1;

const FLAG_ANONYMOUS = 1;
const FLAG_CONSTANT = 2;
const FLAG_INTERVAL = 4;
const FLAG_MAP = 8;
const NFT_DATA_VERDICT = 0xffffff00;

/** nft's own notes on a set: without the byte order it prints some keys backwards. */
const UDATA_KEY_BYTE_ORDER = 0;

/** A set's key as the kernel and nft know it. */
export interface NftKeyType {
  /** nft's number of the data type; six bits for each field of a concatenation */
  readonly id: number;
  readonly length: number;
  readonly byteOrder: 'none' | 'host' | 'big-endian';
}

export interface NftSetInfo {
  readonly name: string;
  readonly key: NftKeyType;
  /** a map from keys to verdicts */
  readonly verdicts: boolean;
  readonly intervals: boolean;
  readonly size: number | undefined;
}

/** What a read-back shows of a set. */
export interface ReadSet extends NftSetInfo {
  /** elements in it, for a kernel that counts them (6.17 or so) */
  readonly count: number | undefined;
}

export interface NewSet extends NftSetInfo {
  /** Belongs to the one rule that looks it up, and never changes. */
  readonly anonymous: boolean;
  /** names it within the batch */
  readonly id: number;
}

const byteOrders = { none: 0, host: 1, 'big-endian': 2 } as const;

function flagsOf({ anonymous, intervals, verdicts }: NewSet): number {
  return (
    (anonymous ? FLAG_ANONYMOUS | FLAG_CONSTANT : 0) |
    (intervals ? FLAG_INTERVAL : 0) |
    (verdicts ? FLAG_MAP : 0)
  );
}

export function addSet(table: string, set: NewSet): Request {
  return tableRequest(messageTypes.newSet, NLM_F_CREATE, table, writer => {
    writer
      .attributeText(NFTA_SET_NAME, set.name)
      .attributeU32Net(NFTA_SET_FLAGS, flagsOf(set))
      .attributeU32Net(NFTA_SET_KEY_TYPE, set.key.id)
      .attributeU32Net(NFTA_SET_KEY_LEN, set.key.length);
    if (set.verdicts) {
      writer.attributeU32Net(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT).attributeU32Net(NFTA_SET_DATA_LEN, 0);
    }
    writer.attributeU32Net(NFTA_SET_ID, set.id);
    if (set.size !== undefined) writeSize(writer, set.size);
    writer.attribute(NFTA_SET_USERDATA, Uint8Array.of(UDATA_KEY_BYTE_ORDER, 4, ...hostBytes(set.key)));
  });
}

function hostBytes({ byteOrder }: NftKeyType): Uint8Array {
  return new Uint8Array(Uint32Array.of(byteOrders[byteOrder]).buffer);
}

function writeSize(writer: MessageWriter, size: number): void {
  writer.nested(NFTA_SET_DESC | NESTED, body => {
    body.attributeU32Net(NFTA_SET_DESC_SIZE, size);
  });
}

export function deleteSet(table: string, name: string): Request {
  return tableRequest(messageTypes.deleteSet, 0, table, writer => {
    writer.attributeText(NFTA_SET_NAME, name);
  });
}

/** Reads a NEWSET message; undefined for an anonymous set, which is part of its rule. */
export function readSet(message: Message): ReadSet | undefined {
  const fields = new Map<number, number>();
  let name = '';
  let size: number | undefined;
  forEachField(message, (type, span) => {
    if (type === NFTA_SET_NAME) name = textOf(span);
    else if (type === NFTA_SET_DESC) {
      forEachInner(span, (inner, value) => {
        if (inner === NFTA_SET_DESC_SIZE) size = numberOf(value);
      });
    } else if (span.end - span.start === 4) fields.set(type, numberOf(span));
  });
  const flags = fields.get(NFTA_SET_FLAGS) ?? 0;
  if ((flags & FLAG_ANONYMOUS) !== 0) return undefined;
  const key: NftKeyType = {
    id: fields.get(NFTA_SET_KEY_TYPE) ?? 0,
    length: fields.get(NFTA_SET_KEY_LEN) ?? 0,
    byteOrder: 'none',
  };
  const verdicts = (flags & FLAG_MAP) !== 0 && fields.get(NFTA_SET_DATA_TYPE) === NFT_DATA_VERDICT;
  const intervals = (flags & FLAG_INTERVAL) !== 0;
  return { name, key, verdicts, intervals, size, count: fields.get(NFTA_SET_COUNT) };
}
