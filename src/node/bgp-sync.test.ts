import { describe, expect, test } from 'vitest';
import { CalicoError, silentLogger, systemClock } from '../base/index.js';
import { BgpSync } from './bgp-sync.js';
import type { RoutingContent } from './routing-view.js';

describe('the configuration of the BGP daemon', () => {
  function sync(answers: readonly (Error | undefined)[]): {
    readonly bgp: BgpSync;
    readonly applied: () => number;
    readonly next: () => Promise<void>;
  } {
    const left = [...answers];
    let applied = 0;
    let waiting = Promise.withResolvers<void>();
    const bgp = new BgpSync({
      nodeName: 'a',
      interfacePrefixes: ['cali'],
      addresses: () => [],
      apply: async () => {
        applied += 1;
        const answer = left.shift();
        const told = waiting;
        waiting = Promise.withResolvers();
        // After the outcome has been taken note of.
        setTimeout(told.resolve, 0);
        if (answer !== undefined) throw answer;
        await Promise.resolve();
      },
      clock: { ...systemClock, sleep: async (_ms, signal) => systemClock.sleep(1, signal) },
      log: silentLogger,
    });
    return { bgp, applied: () => applied, next: async () => await waiting.promise };
  }

  const content: RoutingContent = {
    nodes: [],
    peers: [],
    pools: [],
    blocks: [],
    settings: new Map(),
    nodeSettings: new Map(),
  };

  test('is tried again until the daemon takes it, which the problems tell meanwhile', async () => {
    const { bgp, applied, next } = sync([new CalicoError('unavailable', 'no bird here'), undefined]);
    const first = next();
    bgp.update(content);
    await first;
    expect(bgp.problems()).toEqual(['BGP: no bird here']);
    await next();
    expect(applied()).toBe(2);
    expect(bgp.problems()).toEqual([]);
  });

  test('is not tried again where it was refused, before something changes', async () => {
    const { bgp, applied, next } = sync([new CalicoError('invalid', 'line 7'), undefined]);
    const first = next();
    bgp.update(content);
    await first;
    await systemClock.sleep(20);
    expect(applied()).toBe(1);
    expect(bgp.problems()).toEqual(['BGP: line 7']);
    const second = next();
    bgp.update(content);
    await second;
    expect(bgp.problems()).toEqual([]);
  });

  test('rests when it is stopped', async () => {
    const { bgp, applied, next } = sync([new CalicoError('unavailable', 'no bird here')]);
    const first = next();
    bgp.update(content);
    await first;
    await bgp.stop();
    await systemClock.sleep(20);
    expect(applied()).toBe(1);
  });
});
