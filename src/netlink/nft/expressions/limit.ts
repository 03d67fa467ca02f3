import type { Expression } from './expression.js';

const RATE = 1;
const UNIT = 2;
const BURST = 3;

/** So many packets in so many seconds, after a burst. */
export interface LimitOptions {
  readonly count: number;
  readonly seconds: number;
  readonly burst: number;
}

/** Eight bytes in the order of the network. */
function u64Net(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Ends the rule for what comes more often. */
export function limit({ count, seconds, burst }: LimitOptions): Expression {
  return {
    name: 'limit',
    write: writer => {
      writer.attribute(RATE, u64Net(count)).attribute(UNIT, u64Net(seconds)).attributeU32Net(BURST, burst);
    },
  };
}
