import { describe, expect, test } from 'vitest';
import { systemClock } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { ClusterChange, ClusterEvent } from '../datastore/index.js';
import { Pace, pacedEvents } from './paced-events.js';

function change(value: string): ClusterChange {
  return { kind: 'setting', setting: { component: 'felix', name: 'X' }, value };
}

function event(revision: number, more: Partial<ClusterEvent> = {}): ClusterEvent {
  return { revision, inSync: false, changes: [change(String(revision))], ...more };
}

/** Time that goes on only while somebody sleeps, one turn of the event loop for each sleep. */
function stepClock(): Clock {
  let now = 0;
  return {
    ...systemClock,
    monotonic: () => now,
    sleep: async ms => {
      await new Promise(setImmediate);
      now += ms;
    },
  };
}

async function* from(events: readonly ClusterEvent[]): AsyncGenerator<ClusterEvent, void> {
  for (const each of events) {
    await new Promise(setImmediate);
    yield each;
  }
}

async function passed(events: AsyncIterable<ClusterEvent>, held: boolean[] = []): Promise<ClusterEvent[]> {
  const seen: ClusterEvent[] = [];
  const paced = pacedEvents(events, { pace: new Pace(stepClock()), onHeld: each => held.push(each) });
  for await (const each of paced) seen.push(each);
  return seen;
}

const valuesOf = (events: readonly ClusterEvent[]): readonly string[] =>
  events.flatMap(({ changes }) =>
    changes.flatMap(each => (each.kind === 'setting' ? [each.value ?? ''] : [])),
  );

describe('events of the cluster', () => {
  test('pass one by one at first, and then together, with nothing lost and in order', async () => {
    const all = Array.from({ length: 40 }, (_, index) => event(index + 1, { inSync: index === 0 }));
    const seen = await passed(from(all));
    expect(valuesOf(seen)).toStrictEqual(all.map(({ revision }) => String(revision)));
    expect(seen.slice(0, 10).every(({ changes }) => changes.length === 1)).toBe(true);
    expect(seen.length).toBeLessThan(40);
    expect(seen.at(-1)?.revision).toBe(40);
    expect(seen.filter(({ inSync }) => inSync)).toStrictEqual([all[0]]);
  });

  test('pass at once, however many there were, when somebody waits for them', async () => {
    // Time stands still: who sleeps is only woken by who hurries.
    const pace = new Pace({
      ...systemClock,
      monotonic: () => 0,
      sleep: async (_ms, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('woken')));
        }),
    });
    let passOn = Promise.withResolvers<void>();
    passOn.resolve();
    const oneByOne = async function* (): AsyncGenerator<ClusterEvent, void> {
      for (let revision = 1; revision <= 40; revision++) {
        await passOn.promise;
        passOn = Promise.withResolvers();
        yield event(revision);
      }
    };
    const seen: number[] = [];
    for await (const { revision } of pacedEvents(oneByOne(), { pace, onHeld: () => undefined })) {
      seen.push(revision);
      passOn.resolve();
      // Before the next comes, or while it waits already.
      if (revision % 2 === 0) pace.hurry();
      else setTimeout(() => pace.hurry(), 1);
    }
    expect(seen).toHaveLength(40);
  });

  test('wait while the datastore is not ready, and come as one when it is', async () => {
    const held: boolean[] = [];
    const seen = await passed(
      from([event(1, { inSync: true }), event(2, { ready: false }), event(3, { ready: false }), event(4)]),
      held,
    );
    expect(seen.map(({ revision }) => revision)).toStrictEqual([1, 4]);
    expect(valuesOf(seen)).toStrictEqual(['1', '2', '3', '4']);
    expect(held).toStrictEqual([true, false]);
  });

  test('that end while they are held are not passed on, and a failure of their source comes last', async () => {
    expect(await passed(from([event(1), event(2, { ready: false })]))).toHaveLength(1);
    const failing = async function* (): AsyncGenerator<ClusterEvent, void> {
      yield* from([event(1)]);
      throw new Error('the watch ended');
    };
    await expect(passed(failing())).rejects.toThrow('the watch ended');
  });
});
