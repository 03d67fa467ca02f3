import { writeVerdict } from '../data.js';
import type { NftVerdict } from '../data.js';
import type { Expression } from './expression.js';

const DREG = 1;
const DATA = 2;
const VERDICT_REGISTER = 0;

/** Decides over the packet, or goes on in another chain. */
export function verdict(value: NftVerdict): Expression {
  return {
    name: 'immediate',
    write: writer => {
      writer.attributeU32Net(DREG, VERDICT_REGISTER);
      writeVerdict(writer, DATA, value);
    },
  };
}
