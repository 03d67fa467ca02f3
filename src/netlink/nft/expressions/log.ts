import type { Expression } from './expression.js';

const GROUP = 1;
const PREFIX = 2;
const LEVEL = 5;

/** Severities of syslog, of which only these are used. */
const levels = { warn: 4, notice: 5 } as const;

/** The kernel's log at a level, or a netlink group whose listeners get the packet. */
export type LogTarget = { readonly level: keyof typeof levels } | { readonly group: number };

/** Logs the packet's headers, after the prefix. */
export function log(prefix: string, target: LogTarget): Expression {
  return {
    name: 'log',
    write: writer => {
      if ('group' in target) writer.attribute(GROUP, Uint8Array.of(target.group >> 8, target.group & 0xff));
      writer.attributeText(PREFIX, prefix);
      if ('level' in target) writer.attributeU32Net(LEVEL, levels[target.level]);
    },
  };
}
