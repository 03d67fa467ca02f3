import type { Expression } from './expression.js';

/** Gives the connection the address of the interface it leaves by as its source. */
export function masquerade(): Expression {
  return { name: 'masq', write: () => undefined };
}
