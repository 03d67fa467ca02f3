import { registerNumber } from './expression.js';
import type { Expression, Register } from './expression.js';

const DREG = 1;
const BASE = 2;
const OFFSET = 3;
const LENGTH = 4;

const bases = { network: 1, transport: 2 } as const;

export interface PayloadOptions {
  readonly header: keyof typeof bases;
  /** bytes from the start of the header */
  readonly offset: number;
  readonly length: number;
  readonly into?: Register;
}

/** Loads bytes of the packet; the rule ends when the packet has no such header or is too short. */
export function payload({ header, offset, length, into }: PayloadOptions): Expression {
  return {
    name: 'payload',
    write: writer => {
      writer
        .attributeU32Net(DREG, registerNumber(into))
        .attributeU32Net(BASE, bases[header])
        .attributeU32Net(OFFSET, offset)
        .attributeU32Net(LENGTH, length);
    },
  };
}
