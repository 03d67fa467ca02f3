import { expect, test } from 'vitest';
import type { Store, WatchEvent, Write } from '../../src/datastore/index.js';
import type { Subject } from './store.js';
import { follow, revisionsOf } from './support/follow.js';

/** What a watch tells, from when on, in which order, and when it ends. */
export function watchContract(subject: Subject): void {
  const write = async (...writes: readonly Write[]): Promise<number> => {
    const result = await subject.store().commit({ writes });
    if (!result.committed) throw new Error('not committed');
    return result.revision;
  };
  const put = async (key: string, value = 'x'): Promise<number> => await write({ kind: 'put', key, value });

  test('a watch without a revision begins with a listing and goes on with what comes after it', async () => {
    const before = await put('w/old', 'o');
    const follower = follow(subject.store(), 'w/');
    await follower.until(() => follower.events.length === 1);
    expect(follower.events[0]).toMatchObject({ kind: 'listing', listing: { revision: before } });
    const after = await put('w/new', 'n');
    await follower.until(() => follower.events.length === 2);
    expect(follower.events[1]).toEqual({
      kind: 'changes',
      revision: after,
      changes: [
        { kind: 'put', entry: { key: 'w/new', value: 'n', createRevision: after, modRevision: after } },
      ],
    });
    await follower.stop();
  });

  test('a watch of an empty prefix begins with an empty listing', async () => {
    const follower = follow(subject.store(), 'w/');
    await follower.until(() => follower.events.length === 1);
    expect(follower.events[0]).toMatchObject({ kind: 'listing', listing: { entries: [] } });
    await follower.stop();
  });

  test('a watch after a revision tells every change since, old and new, and no listing', async () => {
    const start = await put('w/a', '1');
    await put('w/a', '2');
    await write({ kind: 'delete', key: 'w/a' });
    const follower = follow(subject.store(), 'w/', { afterRevision: start });
    await follower.until(() => revisionsOf(follower.events).length === 2);
    const last = await put('w/a', '3');
    await follower.until(() => revisionsOf(follower.events).includes(last));
    expect(follower.events.every(event => event.kind === 'changes')).toBe(true);
    expect(revisionsOf(follower.events)).toEqual([start + 1, start + 2, start + 3]);
    expect(follower.events.flatMap(event => (event.kind === 'changes' ? event.changes : []))).toMatchObject([
      { kind: 'put', entry: { createRevision: start } },
      { kind: 'delete', key: 'w/a' },
      { kind: 'put', entry: { createRevision: last } },
    ]);
    await follower.stop();
  });

  test('a watch tells nothing of other prefixes and nothing of a delete of what is absent', async () => {
    const start = await put('w/a');
    const follower = follow(subject.store(), 'w/', { afterRevision: start });
    await put('v/a');
    await put('x/a');
    await write({ kind: 'delete', key: 'w/absent' }, { kind: 'put', key: 'y', value: '' });
    const last = await put('w/b');
    await follower.until(() => follower.events.length > 0);
    expect(revisionsOf(follower.events)).toEqual([last]);
    await follower.stop();
  });

  test('a key with a time to live goes by itself, unless it is put again in time', async () => {
    const temporary = (key: string, ttlSeconds: number): Write => ({
      kind: 'put',
      key,
      value: 'x',
      ttlSeconds,
    });
    const follower = follow(subject.store(), 'w/');
    await follower.until(() => follower.events.length === 1);
    await write(temporary('w/short', 1), temporary('w/long', 600), temporary('w/kept', 1));
    await put('w/kept');
    const gone = (): number => {
      const changes = follower.events.flatMap(event => (event.kind === 'changes' ? event.changes : []));
      return changes.filter(change => change.kind === 'delete' && change.key === 'w/short').length;
    };
    await follower.until(() => gone() === 1);
    expect((await subject.store().list('w/')).entries.map(({ key }) => key)).toEqual(['w/kept', 'w/long']);
    expect(await subject.store().get('w/short')).toBeUndefined();
    const again = { conditions: [{ key: 'w/short', modRevision: 0 }], writes: [temporary('w/short', 1)] };
    expect((await subject.store().commit(again)).committed).toBe(true);
    await follower.until(() => gone() === 2);
    await follower.stop();
  });

  test('a delete of a prefix is told key by key, in one batch', async () => {
    const start = await write(
      { kind: 'put', key: 'w/a', value: '' },
      { kind: 'put', key: 'w/b', value: '' },
      { kind: 'put', key: 'w0', value: '' },
    );
    const follower = follow(subject.store(), 'w', { afterRevision: start });
    const revision = await write({ kind: 'delete-prefix', prefix: 'w/' });
    await follower.until(() => follower.events.length > 0);
    const changes = ['w/a', 'w/b'].map(key => ({ kind: 'delete', key, revision }));
    expect(follower.events).toEqual([{ kind: 'changes', revision, changes }]);
    await follower.stop();
  });

  test('the changes of one commit under several prefixes arrive in one batch', async () => {
    const follower = follow(subject.store(), ['w/', 'v/']);
    await follower.until(() => follower.events.length === 1);
    for (let round = 0; round < 20; round++) {
      const revision = await write(
        ...['w/1', 'v/1', 'w/2', 'u/1'].map(key => ({ kind: 'put' as const, key, value: String(round) })),
      );
      await follower.until(() => revisionsOf(follower.events).at(-1) === revision);
    }
    for (const event of follower.events.slice(1)) {
      const counts = Map.groupBy(revisionsOf([event]), revision => revision);
      for (const changes of counts.values()) expect(changes).toHaveLength(3);
    }
    await follower.stop();
  });

  test('a watch from a revision whose history is gone begins with a listing', async () => {
    const start = await put('w/a', '1');
    await put('w/a', '2');
    await subject.underTest().forgetHistory();
    const follower = follow(subject.store(), 'w/', { afterRevision: start });
    await follower.until(() => follower.events.length === 1);
    expect(follower.events[0]?.kind).toBe('listing');
    const last = await put('w/b', '3');
    await follower.until(() => revisionsOf(follower.events).includes(last));
    expect([...follower.content]).toEqual([
      ['w/a', '2'],
      ['w/b', '3'],
    ]);
    await follower.stop();
  });

  test('a slow reader misses nothing, and its watch buffers nothing on its account', async () => {
    const events: WatchEvent[] = [];
    const start = await put('w/start');
    const watch = subject.store().watch('w/', { afterRevision: start })[Symbol.asyncIterator]();
    await put('w/first');
    events.push(await next(watch));
    for (let number = 0; number < 700; number++) await put(`w/${String(number % 10)}`);
    while (revisionsOf(events).length < 701) events.push(await next(watch));
    expect(revisionsOf(events)).toEqual(Array.from({ length: 701 }, (_, index) => start + 1 + index));
    await watch.return?.();
  });

  test('a watch sees what another handle of the same store writes', async () => {
    const other = await subject.open();
    const follower = follow(other, 'w/');
    await follower.until(() => follower.events.length === 1);
    await put('w/a', '1');
    await follower.until(() => follower.content.get('w/a') === '1');
    expect(follower.events).toHaveLength(2);
    await follower.stop();
  });

  test('thirty watches see the same changes in the same order', async () => {
    const followers = Array.from({ length: 30 }, () => follow(subject.store(), 'w/'));
    await Promise.all(followers.map(async each => await each.until(() => each.events.length === 1)));
    const first = await put('w/a', '0');
    for (let number = 1; number <= 50; number++) await put('w/a', String(number));
    await Promise.all(followers.map(async each => await each.until(() => each.content.get('w/a') === '50')));
    for (const each of followers) {
      expect(revisionsOf(each.events)).toEqual(Array.from({ length: 51 }, (_, index) => first + index));
      await each.stop();
    }
  });

  test('an aborted watch finishes normally, also before its first event', async () => {
    const follower = follow(subject.store(), 'w/');
    await follower.stop();
    const waiting = follow(subject.store(), 'w/');
    await waiting.until(() => waiting.events.length === 1);
    await waiting.stop();
    expect(await collect(subject.store(), AbortSignal.abort())).toEqual([]);
  });

  test('a watch finishes when its store is closed', async () => {
    const store = await subject.open();
    const collected = collect(store, new AbortController().signal);
    await put('w/a');
    await store.close();
    expect((await collected).length).toBeLessThanOrEqual(2);
  });
}

async function collect(store: Store, signal: AbortSignal): Promise<readonly WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of store.watch('w/', { signal })) events.push(event);
  return events;
}

async function next(watch: AsyncIterator<WatchEvent>): Promise<WatchEvent> {
  const { value, done } = await watch.next();
  if (done === true) throw new Error('the watch ended');
  return value;
}
