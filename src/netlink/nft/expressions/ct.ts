import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const DREG = 1;
const KEY = 2;
const KEY_STATE = 0;

/** Loads the state of the packet's connection as one bit of four bytes in host order. */
export function connectionState(): Expression {
  return {
    name: 'ct',
    write: writer => {
      writer.attributeU32Net(KEY, KEY_STATE).attributeU32Net(DREG, registerNumber());
    },
  };
}
