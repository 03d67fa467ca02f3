import { pino } from 'pino';
import type { Logger as Pino } from 'pino';
import type { Logger } from '../base/index.js';
import type { LogLevel } from './config.js';

function wrap(target: Pino): Logger {
  return {
    debug: (message, fields) => {
      target.debug(fields ?? {}, message);
    },
    info: (message, fields) => {
      target.info(fields ?? {}, message);
    },
    warn: (message, fields) => {
      target.warn(fields ?? {}, message);
    },
    error: (message, fields) => {
      target.error(fields ?? {}, message);
    },
    with: fields => wrap(target.child(fields)),
  };
}

/** Structured lines on standard output, written before the call returns: a crash loses none. */
export function createLogger(level: LogLevel, node: string): Logger {
  return wrap(
    pino({
      level,
      base: { node },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    }),
  );
}
