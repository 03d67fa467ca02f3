import { describe, expect, test, vi } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { Periodic } from './periodic.js';

/** Sleeps are told and end when the test says so. */
function handClock(): { readonly clock: Clock; readonly asked: number[]; readonly ring: () => void } {
  const asked: number[] = [];
  let ring: () => void = () => undefined;
  const clock: Clock = {
    ...systemClock,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      asked.push(ms);
      await new Promise<void>((resolve, reject) => {
        ring = resolve;
        signal?.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
    },
  };
  return {
    clock,
    asked,
    ring: () => {
      ring();
    },
  };
}

describe('work that is done again and again', () => {
  test('waits as long as was said last, goes on after a failure, and ends when it is stopped', async () => {
    const { clock, asked, ring } = handClock();
    let times = 0;
    const work = async (): Promise<void> => {
      times++;
      await Promise.resolve();
      if (times === 1) throw new Error('not this time');
    };
    const periodic = new Periodic({ name: 'it', work, clock, log: silentLogger });
    periodic.setInterval(0);
    periodic.setInterval(1000);
    await vi.waitUntil(() => asked.length === 1);
    ring();
    await vi.waitUntil(() => asked.length === 2);
    periodic.setInterval(50);
    await vi.waitUntil(() => asked.length === 3);
    ring();
    await vi.waitUntil(() => times === 2 && asked.length === 4);
    expect(asked).toEqual([1000, 1000, 50, 50]);
    periodic.setInterval(0);
    periodic.setInterval(70);
    await vi.waitUntil(() => asked.length === 5);
    await periodic.stop();
    periodic.setInterval(10);
    expect(asked).toEqual([1000, 1000, 50, 50, 70]);
  });
});
