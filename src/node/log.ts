import { pino } from 'pino';
import type { Logger as Pino } from 'pino';
import type { Logger } from '../base/index.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** A logger whose level may change while it and all that came of it are in use. */
export interface AdjustableLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** how many errors were logged, shown or not */
  errorCount(): number;
}

interface State {
  level: LogLevel;
  errors: number;
}

function wrap(target: Pino, state: State): Logger {
  const shows = (level: LogLevel): boolean => RANK[level] >= RANK[state.level];
  return {
    debug: (message, fields) => {
      if (shows('debug')) target.debug(fields ?? {}, message);
    },
    info: (message, fields) => {
      if (shows('info')) target.info(fields ?? {}, message);
    },
    warn: (message, fields) => {
      if (shows('warn')) target.warn(fields ?? {}, message);
    },
    error: (message, fields) => {
      state.errors++;
      if (shows('error')) target.error(fields ?? {}, message);
    },
    with: fields => wrap(target.child(fields), state),
  };
}

/** Structured lines on standard output, written before the call returns: a crash loses none. */
export function createLogger(level: LogLevel, node: string): AdjustableLogger {
  const state: State = { level, errors: 0 };
  const target = pino({
    level: 'debug',
    base: { node },
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: label => ({ level: label }) },
  });
  return {
    ...wrap(target, state),
    setLevel: changed => {
      state.level = changed;
    },
    errorCount: () => state.errors,
  };
}
