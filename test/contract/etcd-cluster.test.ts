import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCalicoError } from '../../src/base/index.js';
import { openStore } from '../../src/datastore/index.js';
import type { Store, WatchEvent } from '../../src/datastore/index.js';
import { startEtcdCluster } from './support/etcd-server.js';
import type { EtcdServer } from './support/etcd-server.js';
import { follow, revisionsOf } from './support/follow.js';

describe('a cluster of three etcds', () => {
  let members: readonly EtcdServer[];
  let endpoints: readonly string[];

  beforeAll(async () => {
    members = await startEtcdCluster();
    endpoints = members.map(member => member.endpoint);
  });
  afterAll(async () => {
    for (const member of members) await member.dispose();
  });

  /** Adds one to a number until it has the value; what fails without a known outcome is looked at again. */
  async function countTo(store: Store, key: string, goal: number): Promise<number> {
    let unknown = 0;
    for (;;) {
      try {
        const entry = await store.get(key);
        const value = Number(entry?.value ?? '0');
        if (value >= goal) return unknown;
        const conditions = [{ key, modRevision: entry?.modRevision ?? 0 }];
        await store.commit({ conditions, writes: [{ kind: 'put', key, value: String(value + 1) }] });
      } catch (error) {
        if (!isCalicoError(error, 'unavailable')) throw error;
        unknown++;
      }
    }
  }

  test('loses no step and repeats none while one member after the other dies and comes back', async () => {
    const writer = await openStore({ type: 'etcdv3', endpoints });
    const reader = await openStore({ type: 'etcdv3', endpoints });
    const follower = follow(reader, 'w/');
    await follower.until(() => follower.events.length === 1);
    const counting = countTo(writer, 'w/n', 600);
    for (const [index, member] of members.entries()) {
      await follower.until(() => Number(follower.content.get('w/n') ?? '0') >= 150 * (index + 1));
      await member.signal('SIGKILL');
      await follower.until(() => Number(follower.content.get('w/n') ?? '0') >= 150 * (index + 1) + 75);
      await member.restart();
    }
    await counting;
    await follower.until(() => follower.content.get('w/n') === '600');
    const revisions = revisionsOf(follower.events);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    expect(jumps(follower.events)).toEqual([]);
    await follower.stop();
    await writer.close();
    await reader.close();
  });
});

/** Numbers that came without the one before. Only a listing may jump: from a member that is behind the others. */
function jumps(events: readonly WatchEvent[]): readonly number[] {
  const found: number[] = [];
  let last = 0;
  for (const event of events) {
    const values =
      event.kind === 'listing'
        ? event.listing.entries.map(entry => entry.value)
        : event.changes.map(change => (change.kind === 'put' ? change.entry.value : ''));
    for (const value of values) {
      if (event.kind === 'changes' && Number(value) !== last + 1) found.push(Number(value));
      last = Number(value);
    }
  }
  return found;
}
