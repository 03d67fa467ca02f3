import type { MessageWriter } from '../../codec.js';
import { NESTED, NFTA_LIST_ELEM } from '../message.js';

const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

/** One step of a rule's program: it loads, changes or compares registers, or acts on the packet. */
export interface Expression {
  readonly name: string;
  readonly write: (writer: MessageWriter) => void;
}

/**
 * A register of four bytes, counted from 0 to 15; longer values take as many as they need. Without one, the
 * first is meant: most rules need no more.
 */
export type Register = number;

const NFT_REG32_00 = 8;

/** The kernel's number of a register. */
export function registerNumber(register: Register = 0): number {
  return NFT_REG32_00 + register;
}

/** A rule's program as the list that the kernel takes. */
export function writeExpressions(writer: MessageWriter, expressions: readonly Expression[]): void {
  for (const { name, write } of expressions) {
    writer.nested(NFTA_LIST_ELEM | NESTED, element => {
      element.attributeText(NFTA_EXPR_NAME, name);
      element.nested(NFTA_EXPR_DATA | NESTED, write);
    });
  }
}
