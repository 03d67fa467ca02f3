import type { NftConfig } from './config.js';
import type { LogLevel, Rule, Test } from './model.js';
import { makeRule } from './rule-text.js';

/** Where and how often packets are logged. */
export type LogSettings = Pick<NftConfig, 'logPrefix' | 'logGroup' | 'logRateLimit' | 'logRateBurst'>;

interface LogLine {
  readonly prefix: string;
  readonly level: LogLevel;
  readonly tests?: readonly Test[];
  readonly comment?: string;
}

/** Logs the packets that pass the tests, within the limit; all go on with the next rule. */
export function logRule(settings: LogSettings, { prefix, level, tests = [], comment }: LogLine): Rule {
  const { logGroup, logRateLimit, logRateBurst } = settings;
  const limit: readonly Test[] =
    logRateLimit === undefined ? [] : [{ kind: 'rate', ...logRateLimit, burst: logRateBurst }];
  const to = logGroup === undefined ? { level } : { group: logGroup };
  return makeRule([...tests, ...limit], { kind: 'log', prefix, ...to }, comment);
}

/** Whose rule logs: `kind` and `name` as the user wrote them. */
export interface LogOwner {
  readonly kind: 'policy' | 'profile';
  readonly name: string;
}

/**
 * The beginning of a log line of the action `log`, with what LogPrefix asks for: `%t` the tier, `%k` the kind, `%n`
 * and `%p` the name of whose rule it is.
 */
export function logPrefix({ logPrefix: pattern }: LogSettings, { kind, name }: LogOwner): string {
  const values: Readonly<Record<string, string>> = { t: 'default', k: kind, n: name, p: name };
  return `${pattern.replaceAll(/%([tknp])/g, (_, letter: string) => values[letter] ?? '')}: `;
}
