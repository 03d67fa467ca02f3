import { registerNumber } from './expression.js';
import type { Expression } from './expression.js';

const SET = 1;
const SREG = 2;
const DREG = 3;
const SET_ID = 4;
const FLAGS = 5;
const INVERTED = 1;
const VERDICT_REGISTER = 0;

/** A set or map by name, or, made in the same batch without a name of its own, by its number there. */
export interface SetReference {
  readonly set: string;
  readonly id?: number;
}

/** Ends the rule unless the key in the first registers is in the set; `negated`: when it is. */
export function lookup({ set, id }: SetReference, negated: boolean): Expression {
  return {
    name: 'lookup',
    write: writer => {
      writer.attributeU32Net(SREG, registerNumber()).attributeText(SET, set);
      if (id !== undefined) writer.attributeU32Net(SET_ID, id);
      if (negated) writer.attributeU32Net(FLAGS, INVERTED);
    },
  };
}

/** Does what the map says for the key in the first registers; ends the rule when it says nothing. */
export function lookupVerdict({ set, id }: SetReference): Expression {
  return {
    name: 'lookup',
    write: writer => {
      writer
        .attributeU32Net(SREG, registerNumber())
        .attributeU32Net(DREG, VERDICT_REGISTER)
        .attributeText(SET, set);
      if (id !== undefined) writer.attributeU32Net(SET_ID, id);
    },
  };
}
