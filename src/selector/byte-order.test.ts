import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from './byte-order.js';

test('texts are ordered as their UTF-8 bytes are', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
});
