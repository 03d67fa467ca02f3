import type { Message } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import { forEachField, forEachInner, messageTypes, NESTED, tableRequest, textOf } from './message.js';
import type { Span } from './message.js';

const NFTA_OBJECT_NAME = 2;
const NFTA_OBJECT_TYPE = 3;
const NFTA_OBJECT_DATA = 4;
const NFTA_COUNTER_BYTES = 1;
const NFTA_COUNTER_PACKETS = 2;
/** `NFT_OBJECT_COUNTER` */
export const COUNTER_TYPE = 1;

/** A counter with a name, as it stands. */
export interface NftCounter {
  readonly name: string;
  readonly packets: number;
  readonly bytes: number;
}

/** Adds a counter; one that is there keeps what it has counted. */
export function addCounter(table: string, name: string): Request {
  return tableRequest(messageTypes.newObject, NLM_F_CREATE, table, writer => {
    writer.attributeText(NFTA_OBJECT_NAME, name).attributeU32Net(NFTA_OBJECT_TYPE, COUNTER_TYPE);
    writer.nested(NFTA_OBJECT_DATA | NESTED, () => undefined);
  });
}

export function deleteCounter(table: string, name: string): Request {
  return tableRequest(messageTypes.deleteObject, 0, table, writer => {
    writer.attributeText(NFTA_OBJECT_NAME, name).attributeU32Net(NFTA_OBJECT_TYPE, COUNTER_TYPE);
  });
}

/** Asks for the counters of a table. */
export function getCounters(table: string): Request {
  return tableRequest(messageTypes.getObject, 0, table, writer => {
    writer.attributeU32Net(NFTA_OBJECT_TYPE, COUNTER_TYPE);
  });
}

function u64Of({ view, start }: Span): number {
  return Number(view.getBigUint64(start, false));
}

/** Reads a NEWOBJ message about a counter. */
export function readCounter(message: Message): NftCounter {
  let [name, packets, bytes] = ['', 0, 0];
  forEachField(message, (type, span) => {
    if (type === NFTA_OBJECT_NAME) name = textOf(span);
    else if (type === NFTA_OBJECT_DATA) {
      forEachInner(span, (inner, value) => {
        if (inner === NFTA_COUNTER_PACKETS) packets = u64Of(value);
        else if (inner === NFTA_COUNTER_BYTES) bytes = u64Of(value);
      });
    }
  });
  return { name, packets, bytes };
}
