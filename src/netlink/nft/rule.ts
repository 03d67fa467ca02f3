import type { Message } from '../codec.js';
import { readText } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import { writeExpressions } from './expressions/expression.js';
import type { Expression } from './expressions/expression.js';
import { forEachField, messageTypes, NESTED, tableRequest, textOf } from './message.js';
import type { Span } from './message.js';

const NLM_F_APPEND = 0x800;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_USERDATA = 7;

/** nft's notes on a rule are of one type only, each with a length of one byte. */
const UDATA_COMMENT = 0;

export interface NewRule {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  /** ASCII, 128 characters at most: what nft itself takes */
  readonly comment: string;
}

/** Appends a rule to its chain. */
export function addRule(table: string, { chain, expressions, comment }: NewRule): Request {
  return tableRequest(messageTypes.newRule, NLM_F_CREATE | NLM_F_APPEND, table, writer => {
    writer.attributeText(NFTA_RULE_CHAIN, chain);
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
  forEachField(message, (type, span) => {
    if (type === NFTA_RULE_CHAIN) chain = textOf(span);
    else if (type === NFTA_RULE_USERDATA) comment = commentIn(span);
  });
  return { chain, comment };
}
