import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogSync } from './log-sync.js';

describe('the sync of the log', () => {
  let directory: string;
  let time: number;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'calico-sync-'));
    writeFileSync(join(directory, 'log'), 'x');
    time = 0;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Each look at the clock is so many ms after the one before: a disk that takes as long. */
  const open = (path: string, step: number): LogSync =>
    new LogSync(path, () => {
      time += step;
      return time;
    });

  test.for([
    ['of a fast disk', 0],
    ['of a slow one', 50],
  ] as const)('%s serves all who wait, and goes on after it was closed', async ([, step]) => {
    const log = open(join(directory, 'log'), step);
    for (let round = 0; round < 5; round++) await Promise.all([log.sync(), log.sync(), log.sync()]);
    const last = [log.sync(), log.sync()];
    log.close();
    expect(await Promise.all(last)).toEqual([undefined, undefined]);
  });

  test.for([
    ['at once', 0],
    ['in another thread', 50],
  ] as const)('that fails %s is told to all who waited, and then tried again', async ([, step]) => {
    const path = join(directory, 'log');
    const log = open(path, step);
    for (let round = 0; round < 3; round++) await log.sync();
    log.close();
    // The kernel has nothing to sync there, and says so.
    rmSync(path);
    symlinkSync('/dev/null', path);
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.allSettled([log.sync(), log.sync(), log.sync()]);
      expect(outcomes).toMatchObject(
        Array.from({ length: 3 }, () => ({ status: 'rejected', reason: { code: 'EINVAL' } })),
      );
    }
    log.close();
  });

  test('of a log that is gone fails', async () => {
    const log = open(join(directory, 'other'), 0);
    await expect(log.sync()).rejects.toMatchObject({ code: 'ENOENT' });
    log.close();
  });
});
