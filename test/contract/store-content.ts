import { assert, asyncProperty, array, constantFrom, oneof, record, string, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { deferred } from '../../src/datastore/index.js';
import type { CommitResult, Store, Write } from '../../src/datastore/index.js';
import type { Subject } from './store.js';

const put = (key: string, value = 'x'): Write => ({ kind: 'put', key, value });
const remove = (key: string): Write => ({ kind: 'delete', key });

/** Order, revisions, compare-and-swap and atomicity. */
export function contentContract(subject: Subject): void {
  const write = async (...writes: readonly Write[]): Promise<number> =>
    revisionOf(await subject.store().commit({ writes }));

  test('an empty store lists nothing and knows no key', async () => {
    const store = subject.store();
    expect((await store.list('')).entries).toEqual([]);
    expect(await store.get('a')).toBeUndefined();
  });

  test('an entry carries the revision at which it appeared and that of its last change', async () => {
    const first = await write(put('a', '1'));
    const second = await write(put('a', '2'), put('b', ''));
    expect(second).toBeGreaterThan(first);
    expect(await subject.store().get('a')).toEqual({
      key: 'a',
      value: '2',
      createRevision: first,
      modRevision: second,
    });
    expect((await subject.store().list('')).revision).toBe(second);
  });

  test('a key that was deleted and put again has a new creation', async () => {
    const first = await write(put('a'));
    await write(remove('a'));
    const again = await write(put('a'));
    expect(again).toBeGreaterThan(first);
    expect(await subject.store().get('a')).toMatchObject({ createRevision: again, modRevision: again });
  });

  test('a commit that changes nothing returns the present revision', async () => {
    const revision = await write(put('a'));
    expect(await write(remove('absent'))).toBe(revision);
    expect(await write()).toBe(revision);
    expect((await subject.store().list('')).revision).toBe(revision);
  });

  test('a condition holds for a key exactly as it was seen', async () => {
    const store = subject.store();
    const seen = await write(put('a', '1'));
    const conditions = [{ key: 'a', modRevision: seen }];
    const swapped = await store.commit({ conditions, writes: [put('a', '2')] });
    expect(swapped.committed).toBe(true);
    expect(await store.commit({ conditions, writes: [put('a', '3')] })).toEqual({
      committed: false,
      conflicts: ['a'],
    });
    expect(await store.get('a')).toMatchObject({ value: '2' });
  });

  test('a condition on absence fails for a key that is there', async () => {
    const store = subject.store();
    const create = { conditions: [{ key: 'a', modRevision: 0 }], writes: [put('a', 'mine')] };
    expect((await store.commit(create)).committed).toBe(true);
    expect(await store.commit(create)).toEqual({ committed: false, conflicts: ['a'] });
    await write(remove('a'));
    expect((await store.commit(create)).committed).toBe(true);
  });

  test('a condition does not hold for a key that was deleted and put again with the same value', async () => {
    const seen = await write(put('a', 'same'));
    await write(remove('a'));
    await write(put('a', 'same'));
    const conditions = [{ key: 'a', modRevision: seen }];
    expect((await subject.store().commit({ conditions, writes: [remove('a')] })).committed).toBe(false);
  });

  test('conditions may be on keys that are not written, and all failed ones are named', async () => {
    const revision = await write(put('a'), put('b'), put('c'));
    const result = await subject.store().commit({
      conditions: [
        { key: 'a', modRevision: 0 },
        { key: 'b', modRevision: revision },
        { key: 'd', modRevision: revision },
      ],
      writes: [put('e')],
    });
    expect(result.committed).toBe(false);
    expect(result).toMatchObject({ conflicts: expect.arrayContaining(['a', 'd']) });
    expect(await subject.store().get('e')).toBeUndefined();
  });

  test('a commit of 120 keys happens as a whole or not at all', async () => {
    const store = subject.store();
    const keys = Array.from({ length: 120 }, (_, index) => `many/${String(index)}`);
    await store.commit({
      conditions: [{ key: 'guard', modRevision: 7 }],
      writes: keys.map(key => put(key)),
    });
    expect((await store.list('many/')).entries).toHaveLength(0);
    const revision = await write(...keys.map(key => put(key)));
    const { entries } = await store.list('many/');
    expect(entries).toHaveLength(120);
    expect(new Set(entries.map(entry => entry.modRevision))).toEqual(new Set([revision]));
  });

  test('a commit that is not yet durable is seen by all, and is one like others', async () => {
    const other = await subject.open();
    const store = subject.store();
    const early = deferred(store);
    const first = revisionOf(await early.commit({ writes: [put('a', '1')] }));
    expect(await other.get('a')).toMatchObject({ value: '1', modRevision: first });
    expect(await store.commit({ writes: [put('b')], durable: false })).toMatchObject({ committed: true });
    expect(await early.commit({ conditions: [{ key: 'a', modRevision: 0 }], writes: [put('a')] })).toEqual({
      committed: false,
      conflicts: ['a'],
    });
    await Promise.all([early.flush(), store.flush(), early.flush()]);
    expect((await other.list('')).entries.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  test('a commit that names a key twice is refused', async () => {
    await expect(write(put('a', '1'), put('a', '2'))).rejects.toMatchObject({ code: 'invalid' });
    expect(await subject.store().get('a')).toBeUndefined();
  });

  test('a delete of a prefix takes all keys below it, however many, and no others', async () => {
    const store = subject.store();
    for (let part = 0; part < 3; part++) {
      await write(...Array.from({ length: 100 }, (_, n) => put(`tree/${String(part)}/${String(n)}`)));
    }
    await write(put('tree'), put('tree0'));
    const before = await write(put('other', '1'));
    const after = await write({ kind: 'delete-prefix', prefix: 'tree/' }, put('other', '2'));
    expect(after).toBe(before + 1);
    expect((await store.list('')).entries.map(each => each.key)).toEqual(['other', 'tree', 'tree0']);
    expect(await write({ kind: 'delete-prefix', prefix: 'tree/' })).toBe(after);
  });

  test('a commit that deletes a prefix and names a key below it is refused', async () => {
    await write(put('tree/a'));
    const both = write({ kind: 'delete-prefix', prefix: 'tree/' }, put('tree/b'));
    await expect(both).rejects.toMatchObject({ code: 'invalid' });
    expect((await subject.store().list('')).entries).toHaveLength(1);
  });

  test('a condition on a prefix holds until a key below it is put', async () => {
    const store = subject.store();
    const unchangedSince = await write(put('tree/a'), put('b'));
    const commit = {
      conditions: [{ prefix: 'tree/', unchangedSince }],
      writes: [put('done')],
    };
    await write(put('b', '2'), put('tree', '2'));
    expect((await store.commit(commit)).committed).toBe(true);
    await write(put('tree/new'));
    expect(await store.commit(commit)).toEqual({ committed: false, conflicts: ['tree/'] });
  });

  test('a condition on a prefix holds where nothing is', async () => {
    const conditions = [{ prefix: 'nothing/', unchangedSince: (await subject.store().list('')).revision }];
    expect((await subject.store().commit({ conditions, writes: [put('a')] })).committed).toBe(true);
  });

  test('a listing of keys only has all but the values', async () => {
    await write(put('a/1', 'long'), put('a/2', 'longer'), put('b'));
    const whole = await subject.store().list('a/');
    expect(await subject.store().list('a/', { keysOnly: true })).toEqual({
      revision: whole.revision,
      entries: whole.entries.map(entry => ({ ...entry, value: '' })),
    });
    expect((await subject.store().list('', { keysOnly: true })).entries).toHaveLength(3);
  });

  test('a listing of several prefixes is their union in key order, without repetition', async () => {
    await write(put('b/1'), put('a/2'), put('a/1'), put('c/1'), put('a'));
    const keys = async (prefixes: readonly string[]): Promise<readonly string[]> =>
      (await subject.store().list(prefixes)).entries.map(entry => entry.key);
    expect(await keys(['b/', 'a/'])).toEqual(['a/1', 'a/2', 'b/1']);
    expect(await keys(['a/1', 'a', 'c/'])).toEqual(['a', 'a/1', 'a/2', 'c/1']);
    expect(await keys([])).toEqual([]);
  });

  test('any commits leave the same content as in a simple model, listed in byte order by any prefix', async () => {
    await assert(
      asyncProperty(
        array(commits, { maxLength: 12 }),
        array(text, { maxLength: 4 }),
        async (all, prefixes) => {
          const store = subject.store();
          await empty(store);
          const model = new Map<string, string>();
          for (const writes of all) {
            await store.commit({ writes });
            for (const each of writes) {
              if (each.kind === 'put') model.set(each.key, each.value);
              else model.delete(each.key);
            }
          }
          for (const prefix of ['', ...prefixes, ...model.keys()]) {
            const listed = (await store.list(prefix)).entries.map(entry => [entry.key, entry.value]);
            expect(listed).toEqual([...model].filter(([key]) => key.startsWith(prefix)).sort(byKeyBytes));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
}

/** Short texts that meet often, from all lengths of UTF-8 and from the ends of its ranges. */
const text = array(
  oneof(constantFrom('a', 'b', '/', '-', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '🐱', '\u{10ffff}')),
  { maxLength: 4 },
).map(parts => parts.join(''));

const key = text.filter(candidate => candidate !== '');

const commits = array(
  oneof(
    record({ kind: constantFrom('delete' as const), key }),
    tuple(key, string()).map(([name, value]) => ({ kind: 'put' as const, key: name, value })),
  ),
  { maxLength: 8 },
).map(writes => [...new Map(writes.map(each => [each.key, each])).values()]);

function byKeyBytes([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function empty(store: Store): Promise<void> {
  const { entries } = await store.list('');
  await store.commit({ writes: entries.map(entry => remove(entry.key)) });
}

function revisionOf(result: CommitResult): number {
  if (!result.committed) throw new Error(`not committed: ${result.conflicts.join(' ')}`);
  return result.revision;
}
