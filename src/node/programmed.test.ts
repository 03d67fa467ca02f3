import { describe, expect, test } from 'vitest';
import { Programmed } from './programmed.js';

const never = new AbortController().signal;

describe('waiting for an endpoint to be in the kernel', () => {
  test('ends at once when it is there already', async () => {
    const programmed = new Programmed();
    programmed.reached('a', 7);
    await expect(programmed.until('a', 7, never)).resolves.toBeUndefined();
  });

  test('goes on until the revision asked for, or a later one, is reached', async () => {
    const programmed = new Programmed();
    const order: string[] = [];
    const waiting = programmed.until('a', 5, never).then(() => order.push('in the kernel'));
    programmed.reached('a', 4);
    programmed.reached('b', 9);
    await Promise.resolve();
    order.push('not yet');
    programmed.reached('a', 6);
    await waiting;
    expect(order).toEqual(['not yet', 'in the kernel']);
  });

  test('starts anew for an endpoint that was removed', async () => {
    const programmed = new Programmed();
    programmed.reached('a', 5);
    programmed.forget('a');
    const stop = new AbortController();
    const waiting = programmed.until('a', 5, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
