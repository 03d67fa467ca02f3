import { writeValue } from '../data.js';
import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const SREG = 1;
const OP = 2;
const FROM = 3;
const TO = 4;
const NOT_EQUAL = 1;

/** Ends the rule when the first register lies within the range, both ends included. */
export function outsideRange(from: Uint8Array, to: Uint8Array): Expression {
  return {
    name: 'range',
    write: writer => {
      writer.attributeU32Net(SREG, registerNumber()).attributeU32Net(OP, NOT_EQUAL);
      writeValue(writer, FROM, from);
      writeValue(writer, TO, to);
    },
  };
}
