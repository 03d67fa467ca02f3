import { describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import type { ClusterChange, ClusterEvent, ResourceClient } from '../datastore/index.js';
import { ClusterWatch } from './cluster-watch.js';

const gone = (id: string): ClusterChange => ({
  kind: 'resource',
  resourceKind: 'policy',
  id,
  resource: undefined,
});
const unreadable = (id: string): ClusterChange => ({
  kind: 'resource',
  resourceKind: 'policy',
  id,
  resource: undefined,
  problem: 'x',
});
const setting = (name: string, value: string | undefined): ClusterChange => ({
  kind: 'setting',
  setting: { component: 'felix', name },
  value,
});

/** A datastore whose watch breaks after each of these rows of events; the last one goes on. */
function breaking(...rows: readonly (readonly ClusterEvent[])[]): Pick<ResourceClient, 'watch'> {
  const left = [...rows];
  return {
    async *watch({ signal }) {
      yield* left.shift() ?? [];
      if (left.length > 0) throw new Error('the watch broke');
      await systemClock.sleep(60_000, signal).catch(() => undefined);
    },
  };
}

async function follow(
  client: Pick<ResourceClient, 'watch'>,
  count: number,
): Promise<[ClusterEvent[], ClusterWatch]> {
  const watch = new ClusterWatch({ client, clock: systemClock, log: silentLogger });
  const stop = new AbortController();
  const seen: ClusterEvent[] = [];
  for await (const event of watch.events(stop.signal)) {
    seen.push(event);
    if (seen.length === count) stop.abort();
  }
  return [seen, watch];
}

describe('the events of the cluster', () => {
  test('go on after the watch broke, with what went away meanwhile as removed, and are in sync once', async () => {
    const [events, watch] = await follow(
      breaking(
        [
          {
            revision: 1,
            inSync: true,
            changes: [unreadable('a'), unreadable('b'), setting('x', '1'), setting('y', '2')],
          },
          { revision: 2, inSync: false, changes: [unreadable('c'), gone('b')] },
        ],
        [{ revision: 5, inSync: true, changes: [unreadable('c'), setting('y', '3')] }],
      ),
      3,
    );
    expect(events[2]).toEqual({
      revision: 5,
      inSync: false,
      changes: [unreadable('c'), setting('y', '3'), setting('x', undefined), gone('a')],
    });
    expect(events.map(event => event.inSync)).toEqual([true, false, false]);
    expect([...watch.counts()]).toEqual([['policy', 1]]);
    expect(watch.trouble).toBeUndefined();
  });

  test('are in sync with the first whole listing, however many watches that takes', async () => {
    const [events] = await follow(
      breaking([], [{ revision: 3, inSync: true, changes: [unreadable('a')] }]),
      1,
    );
    expect(events).toEqual([{ revision: 3, inSync: true, changes: [unreadable('a')] }]);
  });
});
