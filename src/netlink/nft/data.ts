import type { MessageWriter } from '../codec.js';
import { forEachInner, NESTED, numberOf, textOf } from './message.js';
import type { Span } from './message.js';

const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;

/** What becomes of a packet. */
export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'goto' | 'jump'; readonly chain: string };

const verdictKinds = ['accept', 'drop', 'return', 'goto', 'jump'] as const;
const verdictCodes = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;

/** Bytes to compare with or to look up, as an attribute of that type. */
export function writeValue(writer: MessageWriter, attribute: number, bytes: Uint8Array): void {
  writer.nested(attribute | NESTED, data => {
    data.attribute(NFTA_DATA_VALUE, bytes);
  });
}

/** A verdict as an attribute of that type. */
export function writeVerdict(writer: MessageWriter, attribute: number, verdict: NftVerdict): void {
  writer.nested(attribute | NESTED, data => {
    data.nested(NFTA_DATA_VERDICT | NESTED, body => {
      body.attributeU32Net(NFTA_VERDICT_CODE, verdictCodes[verdict.kind]);
      if ('chain' in verdict) body.attributeText(NFTA_VERDICT_CHAIN, verdict.chain);
    });
  });
}

/** Where the bytes in a data attribute lie; undefined when it holds none. */
export function valueSpan(data: Span): Span | undefined {
  let value: Span | undefined;
  forEachInner(data, (type, span) => {
    if (type === NFTA_DATA_VALUE) value = span;
  });
  return value;
}

/** The verdict in a data attribute; undefined for one that we never write. */
export function readVerdict(data: Span): NftVerdict | undefined {
  let code: number | undefined;
  let chain = '';
  forEachInner(data, (type, span) => {
    if (type !== NFTA_DATA_VERDICT) return;
    forEachInner(span, (inner, value) => {
      if (inner === NFTA_VERDICT_CODE) code = numberOf(value) | 0;
      else if (inner === NFTA_VERDICT_CHAIN) chain = textOf(value);
    });
  });
  const kind = verdictKinds.find(known => verdictCodes[known] === code);
  if (kind === undefined) return undefined;
  return kind === 'goto' || kind === 'jump' ? { kind, chain } : { kind };
}
