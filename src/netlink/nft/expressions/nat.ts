import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const TYPE = 1;
const FAMILY = 2;
const ADDRESS = 3;
const PORT = 5;
const DESTINATION = 1;
const NFPROTO_IPV4 = 2;

/** Gives the connection the IPv4 destination in the first register and the port in the second. */
export function destinationNat(): Expression {
  return {
    name: 'nat',
    write: writer => {
      writer
        .attributeU32Net(TYPE, DESTINATION)
        .attributeU32Net(FAMILY, NFPROTO_IPV4)
        .attributeU32Net(ADDRESS, registerNumber())
        .attributeU32Net(PORT, registerNumber(1));
    },
  };
}
