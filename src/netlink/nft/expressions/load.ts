import { writeValue } from '../data.js';
import { registerNumber } from './expression.js';
import type { Expression, Register } from './expression.js';

const DREG = 1;
const DATA = 2;

/** Puts bytes into a register. */
export function load(bytes: Uint8Array, into?: Register): Expression {
  return {
    name: 'immediate',
    write: writer => {
      writer.attributeU32Net(DREG, registerNumber(into));
      writeValue(writer, DATA, bytes);
    },
  };
}
