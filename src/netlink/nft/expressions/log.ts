import type { Expression } from './expression.js';

const PREFIX = 2;
const LEVEL = 5;

/** Severities of syslog, of which only this one is used. */
const levels = { notice: 5 } as const;

/** Writes the packet's headers to the kernel's log, after the prefix. */
export function log(prefix: string, level: keyof typeof levels): Expression {
  return {
    name: 'log',
    write: writer => {
      writer.attributeText(PREFIX, prefix).attributeU32Net(LEVEL, levels[level]);
    },
  };
}
