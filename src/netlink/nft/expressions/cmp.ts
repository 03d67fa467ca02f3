import { writeValue } from '../data.js';
import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const SREG = 1;
const OP = 2;
const DATA = 3;

const operators = { '==': 0, '!=': 1, '<=': 3, '>=': 5 } as const;

/** Ends the rule unless the first register compares so with the bytes. */
export function cmp(operator: keyof typeof operators, bytes: Uint8Array): Expression {
  return {
    name: 'cmp',
    write: writer => {
      writer.attributeU32Net(SREG, registerNumber()).attributeU32Net(OP, operators[operator]);
      writeValue(writer, DATA, bytes);
    },
  };
}
