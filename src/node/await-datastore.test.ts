import { describe, expect, test } from 'vitest';
import { CalicoError, silentLogger, systemClock } from '../base/index.js';
import type { Logger } from '../base/index.js';
import { awaitDatastore } from './await-datastore.js';

const clock = { ...systemClock, sleep: async () => await Promise.resolve() };
const signal = new AbortController().signal;

describe('a start that needs the datastore', () => {
  test('tries until it answers, and logs each reason once', async () => {
    const answers = ['refused', 'refused', 'refused', 'too late'];
    const lines: unknown[] = [];
    const waits: string[] = [];
    const log: Logger = { ...silentLogger, warn: (_message, fields) => void lines.push(fields?.['error']) };
    const value = await awaitDatastore(
      async () => {
        await Promise.resolve();
        const reason = answers.shift();
        if (reason !== undefined) throw new CalicoError('unavailable', reason);
        return 'open';
      },
      { clock, log, signal, onWait: reason => waits.push(reason) },
    );
    expect(value).toBe('open');
    expect(lines).toEqual(['refused', 'too late']);
    expect(waits.at(-1)).toBe('waiting for the datastore: too late');
  });

  test.each(['invalid', 'unauthorized', 'unsupported', 'corrupt'] as const)(
    'fails at once when it is %s: waiting mends nothing',
    async code => {
      let tries = 0;
      const start = awaitDatastore(
        async () => {
          tries++;
          await Promise.resolve();
          throw new CalicoError(code, 'no');
        },
        { clock, log: silentLogger, signal, onWait: () => undefined },
      );
      await expect(start).rejects.toThrow('no');
      expect(tries).toBe(1);
    },
  );

  test('ends when it is no longer wanted', async () => {
    const ending = new AbortController();
    const start = awaitDatastore(
      async () => {
        await Promise.resolve();
        throw new CalicoError('unavailable', 'no');
      },
      { clock: systemClock, log: silentLogger, signal: ending.signal, onWait: () => ending.abort() },
    );
    await expect(start).rejects.toThrow(/abort/i);
  });
});
