import { describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import { keepUp, Parts, startJob } from './lifecycle.js';
import type { PartDefinition } from './lifecycle.js';

function recorded(events: string[], name: string, failing?: 'start' | 'stop'): PartDefinition<string> {
  return {
    name,
    start: async () => {
      events.push(`start ${name}`);
      await Promise.resolve();
      if (failing === 'start') throw new Error(`${name} is broken`);
      return name;
    },
    stop: part => {
      events.push(`stop ${part}`);
      if (failing === 'stop') throw new Error(`${name} does not want to`);
    },
  };
}

describe('the parts of a program', () => {
  test('start in order and stop in reverse order', async () => {
    const events: string[] = [];
    const parts = new Parts(silentLogger, systemClock);
    expect(await parts.start(recorded(events, 'a'))).toBe('a');
    await parts.start(recorded(events, 'b'));
    await parts.stop();
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('stop again when a later one does not start', async () => {
    const events: string[] = [];
    const parts = new Parts(silentLogger, systemClock);
    await parts.start(recorded(events, 'a'));
    await expect(parts.start(recorded(events, 'b', 'start'))).rejects.toThrow('b is broken');
    expect(events).toEqual(['start a', 'start b', 'stop a']);
  });

  test('all stop even when one of them fails to', async () => {
    const events: string[] = [];
    const parts = new Parts(silentLogger, systemClock);
    await parts.start(recorded(events, 'a'));
    await parts.start(recorded(events, 'b', 'stop'));
    await parts.stop();
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });
});

describe('a job in the background', () => {
  const untilAborted = async (signal: AbortSignal): Promise<void> => {
    await new Promise<void>(resolve => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  };

  test('has started when it says so, and ends when it is stopped', async () => {
    const failures: unknown[] = [];
    const job = await startJob(
      async (signal, ready) => {
        ready();
        await untilAborted(signal);
      },
      error => failures.push(error),
    );
    await job.stop();
    expect(failures).toEqual([]);
  });

  test('has not started when it ends before it is ready', async () => {
    const start = startJob(
      async () => {
        await Promise.reject(new Error('no'));
      },
      () => undefined,
    );
    await expect(start).rejects.toThrow('no');
    const silent = startJob(
      async () => {
        await Promise.resolve();
      },
      () => undefined,
    );
    await expect(silent).rejects.toThrow('ended before it was ready');
  });

  test('reports what ends it later', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await startJob(async (_signal, ready) => {
      ready();
      await Promise.resolve();
      throw new Error('broken');
    }, resolve);
    await expect(promise).resolves.toMatchObject({ message: 'broken' });
  });
});

describe('work that is kept up', () => {
  test('is begun anew when it fails or ends, and not when it is stopped', async () => {
    const stop = new AbortController();
    const clock = { ...systemClock, sleep: async () => await Promise.resolve() };
    let times = 0;
    const work = async (): Promise<void> => {
      times++;
      await Promise.resolve();
      if (times === 1) throw new Error('broken');
      if (times === 3) stop.abort();
    };
    await keepUp('it', work, { signal: stop.signal, clock, log: silentLogger });
    expect(times).toBe(3);
  });
});
