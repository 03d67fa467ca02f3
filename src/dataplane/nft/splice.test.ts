import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRule } from './rule-text.js';
import { spliceOf } from './splice.js';

const rule = (name: string) => makeRule([], { kind: 'accept' }, name);
const many = Array.from({ length: 100 }, (_, n) => rule(String(n)));

function spliced(after: typeof many) {
  return spliceOf(
    many.map(({ fingerprint }) => fingerprint),
    after,
  );
}

describe('a chain of many rules', () => {
  test('is written anew when much of it is other, or when it is short', () => {
    expect(spliced(many.toReversed())).toBeUndefined();
    expect(spliced([])).toBeUndefined();
    const few = many.slice(0, 5);
    expect(
      spliceOf(
        few.map(({ fingerprint }) => fingerprint),
        [...few, rule('new')],
      ),
    ).toBeUndefined();
  });

  test('becomes what it shall be by exchanging what differs, and no rule more', () => {
    const place = fc.nat(many.length);
    fc.assert(
      fc.property(place, fc.nat(8), fc.nat(8), (at, removed, added) => {
        // Some that come may be the same as some that go.
        const come = Array.from({ length: added }, (_, n) =>
          rule(n % 2 === 0 ? `new ${String(n)}` : String(at + n)),
        );
        const after = many.toSpliced(at, removed, ...come);
        const splice = spliced(after);
        if (splice === undefined) throw new Error('written anew');
        const middle = after.slice(splice.at, splice.at + splice.added);
        expect(many.toSpliced(splice.at, splice.removed, ...middle)).toStrictEqual(after);
        expect(splice.removed).toBeLessThanOrEqual(removed);
        expect(splice.added).toBeLessThanOrEqual(added);
      }),
    );
  });
});
