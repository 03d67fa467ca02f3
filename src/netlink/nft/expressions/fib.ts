import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const DREG = 1;
const RESULT = 2;
const FLAGS = 3;
const RESULT_ADDRESS_TYPE = 3;
const SOURCE = 1;
const OUTGOING_INTERFACE = 16;

/**
 * Loads of what type the route to the packet's source is, in four bytes in host order; `ofOutgoing`: among the routes
 * of the interface by which the packet leaves.
 */
export function sourceType(ofOutgoing: boolean): Expression {
  return {
    name: 'fib',
    write: writer => {
      writer
        .attributeU32Net(DREG, registerNumber())
        .attributeU32Net(RESULT, RESULT_ADDRESS_TYPE)
        .attributeU32Net(FLAGS, SOURCE | (ofOutgoing ? OUTGOING_INTERFACE : 0));
    },
  };
}
