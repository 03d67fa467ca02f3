import { forEachMessage, MessageWriter } from '../codec.js';
import type { Message } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import { readVerdict, valueSpan, writeValue, writeVerdict } from './data.js';
import type { NftVerdict } from './data.js';
import {
  bytesOf,
  forEachField,
  forEachInner,
  messageTypes,
  NESTED,
  NFTA_LIST_ELEM,
  numberOf,
  tableRequest,
} from './message.js';
import type { Span } from './message.js';

const NFTA_ELEMENTS_SET = 2;
const NFTA_ELEMENTS_LIST = 3;
const NFTA_ELEMENTS_SET_ID = 4;
const NFTA_ELEMENT_KEY = 1;
const NFTA_ELEMENT_DATA = 2;
const NFTA_ELEMENT_FLAGS = 3;
const NFTA_ELEMENT_USERDATA = 6;
const FLAG_INTERVAL_END = 1;

/** nft's own note that nothing ends the last interval of a set: it goes up to the highest key. */
const openInterval = Uint8Array.of(1, 4, ...new Uint8Array(Uint32Array.of(1).buffer));

/**
 * One element. In a set of intervals each of them is two: its first key, and, as `end`, the first key behind
 * it; nothing is behind one that is `open`.
 */
export interface NftElement {
  readonly key: Uint8Array;
  readonly verdict?: NftVerdict | undefined;
  readonly end?: boolean;
  readonly open?: boolean;
}

/** The set that elements belong to; `id` for one that is made in the same batch. */
export interface ElementsOf {
  readonly set: string;
  readonly id?: number;
}

/** Elements in one message: an attribute holds 65,535 bytes, of which one takes up to 100. */
const ELEMENTS_IN_MESSAGE = 500;

function writeElement(writer: MessageWriter, { key, verdict, end, open }: NftElement): void {
  writer.nested(NFTA_LIST_ELEM | NESTED, body => {
    if (end === true) body.attributeU32Net(NFTA_ELEMENT_FLAGS, FLAG_INTERVAL_END);
    writeValue(body, NFTA_ELEMENT_KEY, key);
    if (verdict !== undefined) writeVerdict(body, NFTA_ELEMENT_DATA, verdict);
    if (open === true) body.attribute(NFTA_ELEMENT_USERDATA, openInterval);
  });
}

function listRequests(
  { type, flags }: Pick<Request, 'type' | 'flags'>,
  table: string,
  { set, id }: ElementsOf,
  elements: readonly NftElement[],
): readonly Request[] {
  const count = Math.ceil(elements.length / ELEMENTS_IN_MESSAGE);
  return Array.from({ length: count }, (_, index) => {
    const from = index * ELEMENTS_IN_MESSAGE;
    return tableRequest(type, flags ?? 0, table, writer => {
      writer.attributeText(NFTA_ELEMENTS_SET, set);
      if (id !== undefined) writer.attributeU32Net(NFTA_ELEMENTS_SET_ID, id);
      writer.nested(NFTA_ELEMENTS_LIST | NESTED, body => {
        for (const element of elements.slice(from, from + ELEMENTS_IN_MESSAGE)) writeElement(body, element);
      });
    });
  });
}

/** Adds elements, in as many messages as it takes; one that is there with the same verdict is no error. */
export function addElements(
  table: string,
  of: ElementsOf,
  elements: readonly NftElement[],
): readonly Request[] {
  return listRequests({ type: messageTypes.newElements, flags: NLM_F_CREATE }, table, of, elements);
}

/** Deletes elements; one that is not there is an error, and so for the whole batch. */
export function deleteElements(
  table: string,
  set: string,
  elements: readonly NftElement[],
): readonly Request[] {
  return listRequests({ type: messageTypes.deleteElements }, table, { set }, elements);
}

/** Deletes all elements of a set. */
export function flushElements(table: string, set: string): Request {
  return tableRequest(messageTypes.deleteElements, 0, table, writer => {
    writer.attributeText(NFTA_ELEMENTS_SET, set);
  });
}

/** Asks for the elements of a set. */
export function getElements(table: string, set: string): Request {
  return tableRequest(messageTypes.getElements, 0, table, writer => {
    writer.attributeText(NFTA_ELEMENTS_SET, set);
  });
}

function readElement(span: Span): NftElement {
  let key: Uint8Array = new Uint8Array();
  let verdict: NftVerdict | undefined;
  let end = false;
  forEachInner(span, (type, value) => {
    if (type === NFTA_ELEMENT_KEY) {
      const bytes = valueSpan(value);
      if (bytes !== undefined) key = bytesOf(bytes);
    } else if (type === NFTA_ELEMENT_DATA) verdict = readVerdict(value);
    else if (type === NFTA_ELEMENT_FLAGS) end = (numberOf(value) & FLAG_INTERVAL_END) !== 0;
  });
  return { key, verdict, end };
}

function forEachElement(message: Message, visit: (element: Span) => void): void {
  forEachField(message, (type, span) => {
    if (type !== NFTA_ELEMENTS_LIST) return;
    forEachInner(span, (_, element) => {
      visit(element);
    });
  });
}

/** Reads a NEWSETELEM message. */
export function readElements(message: Message): readonly NftElement[] {
  const elements: NftElement[] = [];
  forEachElement(message, element => elements.push(readElement(element)));
  return elements;
}

/**
 * Which element of a request the byte at `offset` belongs to (the kernel's hint at what it refused), counted from
 * the first of that request; undefined when it is none.
 */
export function elementPlace(request: Request, offset: number): number | undefined {
  const writer = new MessageWriter().begin({ type: request.type, flags: 0, sequence: 0 });
  request.write(writer);
  const bytes = writer.end().bytes();
  let found: number | undefined;
  let place = 0;
  forEachMessage(new DataView(bytes.buffer), bytes.length, message => {
    forEachElement(message, ({ start, end }) => {
      // The hint is at the element's own header.
      if (offset >= start - 4 && offset < end) found = place;
      place++;
    });
  });
  return found;
}
