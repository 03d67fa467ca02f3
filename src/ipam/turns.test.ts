import { describe, expect, test } from 'vitest';
import { Turns } from './turns.js';
import type { Outcome } from './turns.js';

function recording(most = 3) {
  const turns = new Turns();
  const served: string[] = [];
  const ask = turns.together({
    group: (request: string) => (request.startsWith('alone') ? undefined : request.slice(0, 1)),
    most,
    serve: async requests => {
      served.push(requests.join(' '));
      await Promise.resolve();
      return requests.map((request): Outcome<string> =>
        request.endsWith('!')
          ? { kind: 'failed', error: new Error(request) }
          : { kind: 'done', value: `${request} done` },
      );
    },
  });
  return { turns, served, ask };
}

describe('requests that wait for their turn', () => {
  test('are served together by group, in order, and get each its own answer', async () => {
    const { served, ask } = recording();
    const answers = ['a1', 'b1', 'a2'].map(ask);
    expect(await Promise.all(answers)).toEqual(['a1 done', 'b1 done', 'a2 done']);
    expect(served).toEqual(['a1 a2', 'b1']);
  });

  test('are no more at a time than may be', async () => {
    const { served, ask } = recording(2);
    await Promise.all(['a1', 'a2', 'a3', 'a4', 'a5'].map(ask));
    expect(served).toEqual(['a1 a2', 'a3 a4', 'a5']);
  });

  test('stay by themselves without a group', async () => {
    const { served, ask } = recording();
    await Promise.all(['alone1', 'alone2'].map(ask));
    expect(served).toEqual(['alone1', 'alone2']);
  });

  test('are not touched by the failure of another', async () => {
    const { ask } = recording();
    const [good, bad] = await Promise.allSettled(['a1', 'a2!'].map(ask));
    expect(good).toMatchObject({ value: 'a1 done' });
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'a2!' } });
  });

  test('come after what was there before them, even if that fails', async () => {
    const { turns, served, ask } = recording();
    const before = turns.alone(async () => {
      await Promise.resolve();
      served.push('before');
      throw new Error('it failed');
    });
    const after = ask('a1');
    await expect(before).rejects.toThrow('it failed');
    await after;
    expect(served).toEqual(['before', 'a1']);
  });
});
