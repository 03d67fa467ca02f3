import type { Message } from '../codec.js';
import { readText } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import { writeExpressions } from './expressions/expression.js';
import type { Expression } from './expressions/expression.js';
import { bytesOf, forEachField, messageTypes, NESTED, tableRequest, textOf } from './message.js';
import type { Span } from './message.js';

const NLM_F_APPEND = 0x800;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_POSITION = 6;
const NFTA_RULE_USERDATA = 7;

/** nft's notes on a rule are of one type only, each with a length of one byte. */
const UDATA_COMMENT = 0;

export interface NewRule {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  /** ASCII, 128 characters at most: what nft itself takes */
  readonly comment: string;
}

/** Where a rule goes in its chain: right before or right behind the one with that handle. */
export interface RulePlace {
  readonly side: 'before' | 'behind';
  readonly handle: Uint8Array;
}

/** Adds a rule to its chain, at the end unless `place` tells otherwise. */
export function addRule(table: string, { chain, expressions, comment }: NewRule, place?: RulePlace): Request {
  const flags = place?.side === 'before' ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND;
  return tableRequest(messageTypes.newRule, flags, table, writer => {
    writer.attributeText(NFTA_RULE_CHAIN, chain);
    if (place !== undefined) writer.attribute(NFTA_RULE_POSITION, place.handle);
    writer.nested(NFTA_RULE_EXPRESSIONS | NESTED, body => {
      writeExpressions(body, expressions);
    });
    if (comment !== '') writer.attribute(NFTA_RULE_USERDATA, commentBytes(comment));
  });
}

function commentBytes(comment: string): Uint8Array {
  const text = new TextEncoder().encode(`${comment}\0`);
  return Uint8Array.of(UDATA_COMMENT, text.length, ...text);
}

/** Deletes one rule of a chain. */
export function deleteRule(table: string, chain: string, handle: Uint8Array): Request {
  return tableRequest(messageTypes.deleteRule, 0, table, writer => {
    writer.attributeText(NFTA_RULE_CHAIN, chain);
    writer.attribute(NFTA_RULE_HANDLE, handle);
  });
}

/** Deletes all rules of a chain. */
export function flushChain(table: string, chain: string): Request {
  return tableRequest(messageTypes.deleteRule, 0, table, writer => {
    writer.attributeText(NFTA_RULE_CHAIN, chain);
  });
}

/** Asks for the rules of a table, or of one chain of it. */
export function getRules(table: string, chain?: string): Request {
  return tableRequest(messageTypes.getRule, 0, table, writer => {
    if (chain !== undefined) writer.attributeText(NFTA_RULE_CHAIN, chain);
  });
}

/** What a read-back shows of a rule. */
export interface NftRuleInfo {
  readonly chain: string;
  /** the kernel's own name for it, as it comes */
  readonly handle: Uint8Array;
  /** empty for a rule without one */
  readonly comment: string;
}

function commentIn({ view, start, end }: Span): string {
  for (let at = start; at + 2 <= end; at += 2 + view.getUint8(at + 1)) {
    const length = view.getUint8(at + 1);
    if (view.getUint8(at) === UDATA_COMMENT && at + 2 + length <= end) return readText(view, at + 2, length);
  }
  return '';
}

/** Reads a NEWRULE message. */
export function readRule(message: Message): NftRuleInfo {
  let [chain, comment] = ['', ''];
  let handle: Uint8Array = new Uint8Array();
  forEachField(message, (type, span) => {
    if (type === NFTA_RULE_CHAIN) chain = textOf(span);
    else if (type === NFTA_RULE_HANDLE) handle = bytesOf(span);
    else if (type === NFTA_RULE_USERDATA) comment = commentIn(span);
  });
  return { chain, handle, comment };
}
