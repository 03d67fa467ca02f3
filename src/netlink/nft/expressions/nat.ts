import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const TYPE = 1;
const FAMILY = 2;
const ADDRESS = 3;
const PORT = 5;
const types = { snat: 0, dnat: 1 } as const;
const families = { 4: 2, 6: 10 } as const;

/**
 * Gives the connection another source or destination: the address in the first register, and the port in that of the
 * given number, where one is.
 */
export function nat({
  kind,
  version,
  portRegister,
}: {
  readonly kind: 'snat' | 'dnat';
  readonly version: 4 | 6;
  readonly portRegister?: number;
}): Expression {
  return {
    name: 'nat',
    write: writer => {
      writer
        .attributeU32Net(TYPE, types[kind])
        .attributeU32Net(FAMILY, families[version])
        .attributeU32Net(ADDRESS, registerNumber());
      if (portRegister !== undefined) writer.attributeU32Net(PORT, registerNumber(portRegister));
    },
  };
}
