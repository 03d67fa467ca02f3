import { COUNTER_TYPE } from '../counter.js';
import type { Expression } from './expression.js';

const TYPE = 1;
const NAME = 2;

/** Counts the packet in a counter of the table. */
export function count(counter: string): Expression {
  return {
    name: 'objref',
    write: writer => {
      writer.attributeU32Net(TYPE, COUNTER_TYPE).attributeText(NAME, counter);
    },
  };
}
