import type { Expression } from './expression.js';

/** Keeps connection tracking from looking at the packet. */
export function notrack(): Expression {
  return { name: 'notrack', write: () => undefined };
}
