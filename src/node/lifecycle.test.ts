import { describe, expect, test } from 'vitest';
import { silentLogger } from '../base/index.js';
import { startParts } from './lifecycle.js';
import type { Part } from './lifecycle.js';

function recorded(events: string[], name: string, failing?: 'start' | 'stop'): Part {
  return {
    name,
    start: async () => {
      events.push(`start ${name}`);
      if (failing === 'start') throw new Error(`${name} is broken`);
      await Promise.resolve();
    },
    stop: async () => {
      events.push(`stop ${name}`);
      if (failing === 'stop') throw new Error(`${name} does not want to`);
      await Promise.resolve();
    },
  };
}

describe('the parts of a program', () => {
  test('start in order and stop in reverse order', async () => {
    const events: string[] = [];
    const running = await startParts([recorded(events, 'a'), recorded(events, 'b')], silentLogger, () => 0);
    await running.stop();
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('stop again when one of them does not start, and say which', async () => {
    const events: string[] = [];
    const parts = [recorded(events, 'a'), recorded(events, 'b', 'start'), recorded(events, 'c')];
    await expect(startParts(parts, silentLogger, () => 0)).rejects.toThrow('b is broken');
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('all stop even when one of them fails to', async () => {
    const events: string[] = [];
    const parts = [recorded(events, 'a'), recorded(events, 'b', 'stop')];
    const running = await startParts(parts, silentLogger, () => 0);
    await running.stop();
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });
});
