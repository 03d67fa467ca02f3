import { expect, test } from 'vitest';
import type { Subject } from './store.js';
import { follow, revisionsOf } from './support/follow.js';

/** Several processes at once, and one that dies. */
export function processContract(subject: Subject): void {
  test('three processes that fight for a counter lose no step', async () => {
    const workers = [1, 2, 3].map(() => subject.startWorker({ kind: 'count', key: 'counter', times: 150 }));
    expect(await Promise.all(workers.map(async worker => await worker.ended))).toEqual([0, 0, 0]);
    expect(await subject.store().get('counter')).toMatchObject({ value: '450' });
    const revisions = workers.flatMap(worker => worker.reports.map(report => report.revision));
    expect(new Set(revisions).size).toBe(450);
  });

  test('a watch sees each commit of two other processes once, whole and in order', async () => {
    const follower = follow(subject.store(), 'w/');
    await follower.until(() => follower.events.length === 1);
    const workers = ['w/1/', 'w/2/'].map(prefix =>
      subject.startWorker({ kind: 'pairs', prefix, times: 300 }),
    );
    await follower.until(() => revisionsOf(follower.events).length >= 1200);
    await Promise.all(workers.map(async worker => await worker.ended));
    const written = workers.flatMap(worker => worker.reports.map(report => report.revision));
    const expected = [...written, ...written].sort((a, b) => a - b);
    expect(revisionsOf(follower.events)).toEqual(expected);
    for (const event of follower.events)
      expect(new Set(revisionsOf([event])).size * 2).toBe(revisionsOf([event]).length);
    await follower.stop();
  });

  test('a writer killed at any moment leaves whole commits, all that it reported, and a store that goes on', async () => {
    const follower = follow(subject.store(), 'w/');
    for (let round = 0; round < 5; round++) {
      const prefix = `w/${String(round)}/`;
      const worker = subject.startWorker({ kind: 'pairs', prefix, times: 1_000_000 });
      await worker.reported(20 + round * 7);
      worker.kill();
      await worker.ended;
      const left = await subject.store().list(`${prefix}left/`);
      const right = await subject.store().list(`${prefix}right/`);
      expect(left.entries.map(entry => entry.value)).toEqual(right.entries.map(entry => entry.value));
      const numbers = new Set(left.entries.map(entry => Number(entry.key.split('/').at(-1))));
      for (const report of worker.reports) expect(numbers).toContain(report.number);
      const result = await subject.store().commit({ writes: [{ kind: 'put', key: 'after', value: prefix }] });
      expect(result.committed).toBe(true);
    }
    const { entries } = await subject.store().list('w/');
    await follower.until(() => follower.content.size === entries.length);
    expect(follower.content).toEqual(new Map(entries.map(({ key, value }) => [key, value])));
    await follower.stop();
  });
}
