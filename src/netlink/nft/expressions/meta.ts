import { registerNumber } from './expression.js';
import type { Expression, Register } from './expression.js';

const DREG = 1;
const KEY = 2;
const SREG = 3;

const keys = { mark: 3, iif: 4, oif: 5, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;

/** Loads what the kernel knows of a packet besides its bytes. */
export function meta(key: keyof typeof keys, into?: Register): Expression {
  return {
    name: 'meta',
    write: writer => {
      writer.attributeU32Net(KEY, keys[key]).attributeU32Net(DREG, registerNumber(into));
    },
  };
}

/** Gives the packet the mark that is in the first register. */
export function setMark(): Expression {
  return {
    name: 'meta',
    write: writer => {
      writer.attributeU32Net(KEY, keys.mark).attributeU32Net(SREG, registerNumber());
    },
  };
}
