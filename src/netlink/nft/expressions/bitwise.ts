import { writeValue } from '../data.js';
import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const SREG = 1;
const DREG = 2;
const LENGTH = 3;
const MASK = 4;
const XOR = 5;

/** Keeps only the bits of the mask in the first register, then turns over those of `flipped`. */
export function masked(mask: Uint8Array, flipped = new Uint8Array(mask.length)): Expression {
  return {
    name: 'bitwise',
    write: writer => {
      writer
        .attributeU32Net(SREG, registerNumber())
        .attributeU32Net(DREG, registerNumber())
        .attributeU32Net(LENGTH, mask.length);
      writeValue(writer, MASK, mask);
      writeValue(writer, XOR, flipped);
    },
  };
}
