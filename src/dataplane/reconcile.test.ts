import { describe, expect, test } from 'vitest';
import { silentLogger } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { createReconciler, retryDelayMs } from './reconcile.js';
import type { Reconciler } from './reconcile.js';

/** A kernel that notes what it is asked, and answers when and how the test says. */
function setUp(answers: readonly ('ok' | 'fail' | Promise<void>)[] = []) {
  const calls: string[] = [];
  const left = [...answers];
  let held: string[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      calls.push(`sleep ${String(ms)}`);
      signal?.throwIfAborted();
      await Promise.resolve();
    },
  };
  const part = {
    accept: (updates: readonly string[]) => {
      if (updates.includes('bug')) throw new Error('a bug');
      held = [...held, ...updates];
    },
    sync: async (mode: string) => {
      calls.push(`${mode} ${held.join()}`);
      const answer = left.shift() ?? 'ok';
      if (answer === 'fail') throw new Error('no');
      if (answer !== 'ok') await answer;
    },
  };
  const reconciler: Reconciler<string> = createReconciler({ name: 'test', part, clock, log: silentLogger });
  return { calls, reconciler };
}

describe('a reconciler', () => {
  test('reads back at first, and after that applies changes only', async () => {
    const { calls, reconciler } = setUp();
    await reconciler.apply(['a']);
    await reconciler.apply(['b']);
    expect(calls).toStrictEqual(['full a', 'changes a,b']);
  });

  test('makes one batch of what arrives while another is applied', async () => {
    const first = Promise.withResolvers<void>();
    const { calls, reconciler } = setUp([first.promise]);
    const done = [reconciler.apply(['a']), reconciler.apply(['b']), reconciler.apply(['c'])];
    first.resolve();
    await Promise.all(done);
    expect(calls).toStrictEqual(['full a', 'changes a,b,c']);
  });

  test('tries again after a failure, from a read-back, and resolves only when it has succeeded', async () => {
    const { calls, reconciler } = setUp(['ok', 'fail', 'fail']);
    await reconciler.apply(['a']);
    await reconciler.apply(['b']);
    expect(calls).toStrictEqual(['full a', 'changes a,b', 'sleep 20', 'full a,b', 'sleep 40', 'full a,b']);
  });

  test('does not forget a resync that is asked for while a batch is applied', async () => {
    const first = Promise.withResolvers<void>();
    const { calls, reconciler } = setUp(['ok', first.promise]);
    await reconciler.apply(['a']);
    const done = [reconciler.apply(['b']), reconciler.resync()];
    first.resolve();
    await Promise.all(done);
    expect(calls).toStrictEqual(['full a', 'changes a,b', 'full a,b']);
  });

  test('tells the sender of updates that it cannot take, and goes on', async () => {
    const { calls, reconciler } = setUp();
    await expect(reconciler.apply(['bug'])).rejects.toThrow('a bug');
    await reconciler.apply(['a']);
    expect(calls).toStrictEqual(['full a']);
  });

  test('that is stopped ends its retries and rejects what waits', async () => {
    const first = Promise.withResolvers<void>();
    const { reconciler } = setUp([first.promise]);
    const waiting = reconciler.apply(['a']);
    const stopped = reconciler.stop();
    first.reject(new Error('no'));
    await expect(waiting).rejects.toThrow('test: stopped');
    await stopped;
    await expect(reconciler.apply(['b'])).rejects.toThrow('test: stopped');
  });
});

describe('the pause between tries', () => {
  test('grows to a fifth of a second, and is five seconds after ten failures', () => {
    expect([1, 2, 3, 6, 10, 11].map(failures => retryDelayMs(failures, 0.5))).toStrictEqual([
      20, 40, 80, 200, 200, 5000,
    ]);
  });
});
